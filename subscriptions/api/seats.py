"""Software subscriptions, and the time for which their activity is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_filters
from rest_framework import serializers

from profiles.models import IntegrationProfile
from samsaas.api.reading import Resource
from samsaas.api.routes import read_routes
from samsaas.api.rows import ApiRow, Moment, Number, Text
from samsaas.lib.tables import ListFilter
from subscriptions.filters import SubscriptionFilter
from subscriptions.models import ActivityCoverage, Subscription


class SubscriptionRow(ApiRow):
    identifier = Text("identifier.identifier")
    software_model = Number("identifier.software_model_id", allow_null=True)
    person = serializers.SerializerMethodField(help_text="The number of its user; null without one.")
    last_activity_at = serializers.SerializerMethodField(help_text="Null: no activity was read.")
    last_activity_kind = serializers.SerializerMethodField(help_text="The vendor's word; empty without activity.")

    class Meta:
        model = Subscription
        fields = (
            *("id", "profile", "external_id", "identifier", "software_model", "person", "display_name", "email"),
            *("employee_id", "status", "vendor_status", "is_admin", "consumes_license", "excluded", "assigned_at"),
            *("invited_at", "suspended_at", "first_seen_at", "changed_at", "ended_at", "returned_at", "restored_at"),
            *("keep_until", "last_activity_at", "last_activity_kind"),
        )

    def get_person(self, row: Subscription) -> int | None:
        return row.match.person_id if hasattr(row, "match") else None

    def get_last_activity_at(self, row: Subscription) -> datetime | None:
        at: Any = Moment().to_representation(row.last_activity.at) if hasattr(row, "last_activity") else None
        return at

    def get_last_activity_kind(self, row: Subscription) -> str:
        return row.last_activity.kind if hasattr(row, "last_activity") else ""


class CoverageRow(ApiRow):
    class Meta:
        model = ActivityCoverage
        fields = ("id", "profile", "team_id", "since", "until", "known_by", "run")


class CoverageFilter(ListFilter):
    """The coverage of one profile."""

    profile = django_filters.ModelChoiceFilter(label="Profile", queryset=IntegrationProfile.objects.all())

    class Meta:
        model = ActivityCoverage
        fields = ("profile",)


class Subscriptions(Resource):
    """Software subscriptions. Without the filter `seats` the list has those that count now."""

    model, serializer_class, filterset = Subscription, SubscriptionRow, SubscriptionFilter
    related = ("identifier", "match", "last_activity")


class ActivityCoverages(Resource):
    """Activity coverage: the times for which a vendor's activity was read completely."""

    model, serializer_class, filterset = ActivityCoverage, CoverageRow, CoverageFilter


patterns = [
    *read_routes("subscriptions", "subscription", Subscriptions),
    *read_routes("activity-coverage", "coverage", ActivityCoverages),
]
