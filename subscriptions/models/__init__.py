"""Software models, their identifiers, and the seats that use them."""

from subscriptions.models.software import SoftwareModel, SubscriptionIdentifier
from subscriptions.models.subscription import Subscription

__all__ = ["SoftwareModel", "Subscription", "SubscriptionIdentifier"]
