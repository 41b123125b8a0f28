"""Software models, subscription identifiers, and exclusion rules."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from samsaas.api.reading import Resource
from samsaas.api.routes import read_routes
from samsaas.api.rows import ApiRow, Money, Number, Text
from subscriptions.exclusions.filters import IdentifierExclusionFilter, UserExclusionFilter
from subscriptions.models import IdentifierExclusion, SoftwareModel, SubscriptionIdentifier, UserExclusion
from subscriptions.software import figures
from subscriptions.software.filters import IdentifierFilter, SoftwareModelFilter


class SoftwareModelRow(ApiRow):
    cost_override = Money("cost_override")
    subscriptions = Number("current", help_text="Those that count now.")
    licenses_in_use = Number("consuming")

    class Meta:
        model = SoftwareModel
        fields = (
            *("id", "publisher", "product", "edition", "under_management", "cost_override", "subscriptions"),
            *("licenses_in_use", "created_at"),
        )


class IdentifierRow(ApiRow):
    subscriptions = Number("current", help_text="Those that count now.")

    class Meta:
        model = SubscriptionIdentifier
        fields = ("id", "vendor", "identifier", "software_model", "subscriptions", "created_at")


class IdentifierExclusionRow(ApiRow):
    identifier_name = Text("identifier.identifier")

    class Meta:
        model = IdentifierExclusion
        fields = ("id", "profile", "active", "reason", "identifier", "identifier_name")


class UserExclusionRow(ApiRow):
    class Meta:
        model = UserExclusion
        fields = ("id", "profile", "active", "reason", "pattern", "domain")


class SoftwareModels(Resource):
    """Software models, with what is used of them."""

    model, serializer_class, filterset = SoftwareModel, SoftwareModelRow, SoftwareModelFilter

    def described(self) -> QuerySet[Any]:
        return figures.software_models()


class Identifiers(Resource):
    """Subscription identifiers: the vendors' names for seat types and plans."""

    model, serializer_class, filterset = SubscriptionIdentifier, IdentifierRow, IdentifierFilter

    def described(self) -> QuerySet[Any]:
        return figures.identifiers()


class IdentifierExclusions(Resource):
    """Exclusion rules of subscription identifiers."""

    model, serializer_class, filterset = IdentifierExclusion, IdentifierExclusionRow, IdentifierExclusionFilter
    related = ("identifier",)


class UserExclusions(Resource):
    """Exclusion rules of users."""

    model, serializer_class, filterset = UserExclusion, UserExclusionRow, UserExclusionFilter


patterns = [
    *read_routes("software-models", "software_model", SoftwareModels),
    *read_routes("identifiers", "identifier", Identifiers),
    *read_routes("identifier-exclusions", "identifier_exclusion", IdentifierExclusions),
    *read_routes("user-exclusions", "user_exclusion", UserExclusions),
]
