"""Software models and their identifiers, seats, their use and their people, and exclusion rules."""

from subscriptions.models.activity import ActivityCoverage, ActivityDay, LastActivity, NameInLog, ReadDay
from subscriptions.models.exclusion import IdentifierExclusion, UserExclusion
from subscriptions.models.listing import AcceptedListing
from subscriptions.models.person import (
    FormerAddress,
    Match,
    Person,
    PersonAddress,
    ResolutionRule,
    normalize_address,
)
from subscriptions.models.person_import import (
    PersonImport,
    PersonImportOverlap,
    PersonImportPiece,
    PersonImportRow,
    PersonImportSeat,
)
from subscriptions.models.software import SoftwareModel, SubscriptionIdentifier
from subscriptions.models.subscription import Subscription

__all__ = [
    "AcceptedListing",
    "ActivityCoverage",
    "ActivityDay",
    "FormerAddress",
    "IdentifierExclusion",
    "LastActivity",
    "Match",
    "NameInLog",
    "Person",
    "PersonAddress",
    "PersonImport",
    "PersonImportOverlap",
    "PersonImportPiece",
    "PersonImportRow",
    "PersonImportSeat",
    "ReadDay",
    "ResolutionRule",
    "SoftwareModel",
    "Subscription",
    "SubscriptionIdentifier",
    "UserExclusion",
    "normalize_address",
]
