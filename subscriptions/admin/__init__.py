"""Core UI: subscriptions, software models, people, entitlements, and what reconciliations found."""

from subscriptions.admin import entitlements, people, reconciliation, subscriptions

__all__ = ["entitlements", "people", "reconciliation", "subscriptions"]
