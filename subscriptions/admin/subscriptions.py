"""Core UI: software subscriptions, their identifiers and software models, and the rules that leave some out."""

from __future__ import annotations

from django.contrib import admin

from samsaas.read_only_admin import AdminButton, ReadOnlyAdmin, RelatedList
from subscriptions.models import (
    ActivityCoverage,
    IdentifierExclusion,
    LastActivity,
    SeatCount,
    SoftwareModel,
    Subscription,
    SubscriptionIdentifier,
    SubscriptionVersion,
    UserExclusion,
)


@admin.register(SoftwareModel)
class SoftwareModelAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "publisher", "product", "edition", "under_management", "cost_override", "currency")
    list_filter = ("under_management",)
    search_fields = ("publisher", "product", "edition")
    buttons = (
        AdminButton(label="Edit", url_name="software_model_edit"),
        AdminButton(label="Delete", url_name="software_model_delete"),
    )
    related_lists = (
        RelatedList(
            label="Subscription identifiers",
            of="subscriptions_subscriptionidentifier",
            lookup="software_model__id__exact",
        ),
        RelatedList(label="Entitlements", of="subscriptions_entitlement", lookup="software_model__id__exact"),
        RelatedList(label="Reclamation rules", of="reclamation_reclamationrule", lookup="software_model__id__exact"),
        RelatedList(label="Results", of="subscriptions_modelresult", lookup="software_model__id__exact"),
    )


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """There may be a million rows, so the list is sorted by an index and joined once."""

    ordering = ("display_name", "pk")
    list_display = ("display_name", "email", "profile", "identifier", "status", "consumes_license", "ended_at")
    list_filter = ("profile", "status", "consumes_license", ("ended_at", admin.EmptyFieldListFilter))
    list_select_related = ("profile", "identifier")
    search_fields = ("display_name", "email", "=external_id")
    buttons = (AdminButton(label="User", url_name="unmatched_search"),)
    related_lists = (
        RelatedList(label="User", of="subscriptions_match", lookup="subscription__id__exact"),
        RelatedList(label="Activity", of="subscriptions_lastactivity", lookup="subscription__id__exact"),
        RelatedList(label="Former values", of="subscriptions_subscriptionversion", lookup="subscription__id__exact"),
        RelatedList(label="Removal candidates", of="reclamation_removalcandidate", lookup="subscription__id__exact"),
    )


@admin.register(SubscriptionVersion)
class SubscriptionVersionAdmin(ReadOnlyAdmin):
    list_display = ("subscription", "since", "until", "identifier", "status", "consumes_license", "excluded", "listed")
    list_select_related = ("subscription", "identifier")


@admin.register(LastActivity)
class LastActivityAdmin(ReadOnlyAdmin):
    list_display = ("subscription", "at", "kind", "signal")
    list_select_related = ("subscription",)


@admin.register(ActivityCoverage)
class ActivityCoverageAdmin(ReadOnlyAdmin):
    list_display = ("profile", "since", "until")
    list_filter = ("profile",)
    list_select_related = ("profile",)


@admin.register(SubscriptionIdentifier)
class SubscriptionIdentifierAdmin(ReadOnlyAdmin):
    """Those without a software model are the unrecognized ones."""

    ordering = ("vendor", "identifier")
    list_display = ("identifier", "vendor", "software_model", "created_at")
    list_filter = ("vendor", ("software_model", admin.EmptyFieldListFilter))
    search_fields = ("identifier",)
    list_select_related = ("software_model",)
    buttons = (
        AdminButton(label="Map to a software model", url_name="identifier_map"),
        AdminButton(label="Unmap", url_name="identifier_unmap", shown=lambda one: one.software_model_id is not None),
    )
    related_lists = (
        RelatedList(label="Software subscriptions", of="subscriptions_subscription", lookup="identifier__id__exact"),
    )


@admin.register(IdentifierExclusion)
class IdentifierExclusionAdmin(ReadOnlyAdmin):
    list_display = ("identifier", "profile", "active", "reason")
    list_filter = ("active",)
    list_select_related = ("identifier", "profile")
    buttons = (
        AdminButton(label="New", url_name="identifier_exclusion_new", on_row=False),
        AdminButton(label="Edit", url_name="identifier_exclusion_edit"),
        AdminButton(label="Delete", url_name="identifier_exclusion_delete"),
    )


@admin.register(UserExclusion)
class UserExclusionAdmin(ReadOnlyAdmin):
    list_display = ("pattern", "domain", "profile", "active", "reason")
    list_filter = ("active",)
    list_select_related = ("profile",)
    buttons = (
        AdminButton(label="New", url_name="user_exclusion_new", on_row=False),
        AdminButton(label="Edit", url_name="user_exclusion_edit"),
        AdminButton(label="Delete", url_name="user_exclusion_delete"),
    )


@admin.register(SeatCount)
class SeatCountAdmin(ReadOnlyAdmin):
    """What home shows: counted when facts change, since no page counts."""

    list_display = ("profile", "identifier", "current", "in_use")
    list_filter = ("profile",)
    list_select_related = ("profile", "identifier")

    @admin.display(description="Current")
    def current(self, one: SeatCount) -> int:
        return int(one.counts.get("current", 0))

    @admin.display(description="In use")
    def in_use(self, one: SeatCount) -> int:
        return int(one.counts.get("in_use", 0))
