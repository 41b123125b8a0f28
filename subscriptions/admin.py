"""Core UI: software models and subscriptions."""

from __future__ import annotations

from django.contrib import admin

from samsaas.read_only_admin import ReadOnlyAdmin
from subscriptions.models import (
    ActivityCoverage,
    IdentifierExclusion,
    Match,
    Person,
    ResolutionRule,
    SoftwareModel,
    Subscription,
    SubscriptionIdentifier,
    UserExclusion,
)


@admin.register(SoftwareModel)
class SoftwareModelAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "publisher", "product", "edition", "created_at")
    list_filter = ("publisher",)
    search_fields = ("publisher", "product", "edition")


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """There may be a million rows, so the list is sorted by an index and joined once."""

    list_display = ("display_name", "email", "profile", "identifier", "status", "consumes_license", "ended_at")
    list_filter = ("profile", "status", "consumes_license")
    list_select_related = ("profile", "identifier")
    search_fields = ("display_name", "email", "=external_id")


@admin.register(SubscriptionIdentifier)
class SubscriptionIdentifierAdmin(ReadOnlyAdmin):
    list_display = ("identifier", "vendor", "software_model", "created_at")
    list_filter = ("vendor",)
    search_fields = ("identifier",)
    list_select_related = ("software_model",)


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin):
    list_display = ("name", "key", "department", "country", "left_on")
    search_fields = ("name", "=key")


@admin.register(Match)
class MatchAdmin(ReadOnlyAdmin):
    list_display = ("subscription", "person", "rule", "at")
    list_select_related = ("subscription", "person", "rule")


@admin.register(ResolutionRule)
class ResolutionRuleAdmin(ReadOnlyAdmin):
    list_display = ("name", "order", "active", "source", "lookup", "transform")


@admin.register(IdentifierExclusion)
class IdentifierExclusionAdmin(ReadOnlyAdmin):
    list_display = ("identifier", "profile", "active", "reason")
    list_select_related = ("identifier", "profile")


@admin.register(UserExclusion)
class UserExclusionAdmin(ReadOnlyAdmin):
    list_display = ("pattern", "domain", "profile", "active", "reason")
    list_select_related = ("profile",)


@admin.register(ActivityCoverage)
class ActivityCoverageAdmin(ReadOnlyAdmin):
    list_display = ("profile", "since", "until")
    list_filter = ("profile",)
    list_select_related = ("profile",)
