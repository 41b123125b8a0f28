"""Core UI: what is owned. Every change goes through the forms of the Workspace, which keep versions."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from samsaas.read_only_admin import AdminButton, ReadOnlyAdmin, RelatedList
from subscriptions.models import (
    Allocation,
    Entitlement,
    EntitlementImport,
    EntitlementImportRow,
    EntitlementVersion,
    RenewalReminder,
)


def is_draft(one: Entitlement) -> bool:
    """Whether it may still be published or deleted."""
    return one.is_draft


def is_in_use(one: Entitlement) -> bool:
    """Whether it may be retired or renewed."""
    return one.state == Entitlement.State.IN_USE


@admin.register(Entitlement)
class EntitlementAdmin(ReadOnlyAdmin):
    list_display = (
        "number",
        "software_model",
        "state",
        "purchased_rights",
        "unlimited",
        "period",
        "start",
        "end",
        "unit_cost",
        "total_cost",
        "currency",
    )
    list_filter = ("state", "agreement_type", "period", "unlimited", "auto_renew")
    search_fields = (
        "=id",
        "software_model__publisher",
        "software_model__product",
        "publisher_part_number",
        "contract",
        "invoice",
    )
    list_select_related = ("software_model",)
    buttons = (
        AdminButton(label="New", url_name="entitlement_new", on_row=False),
        AdminButton(label="Import", url_name="entitlement_import_new", on_row=False),
        AdminButton(label="Edit", url_name="entitlement_edit"),
        AdminButton(label="Publish", url_name="entitlement_publish", shown=is_draft),
        AdminButton(label="Renew", url_name="entitlement_renew", shown=is_in_use),
        AdminButton(label="Retire", url_name="entitlement_retire", shown=is_in_use),
        AdminButton(label="Allocate", url_name="allocation_new", shown=is_in_use),
        AdminButton(label="Delete", url_name="entitlement_delete", shown=is_draft),
    )
    related_lists = (
        RelatedList(label="Versions", of="subscriptions_entitlementversion", lookup="entitlement__id__exact"),
        RelatedList(label="User allocations", of="subscriptions_allocation", lookup="entitlement__id__exact"),
        RelatedList(label="Renewals", of="subscriptions_entitlement", lookup="renews__id__exact"),
        RelatedList(label="Renewal reminders", of="subscriptions_renewalreminder", lookup="entitlement__id__exact"),
    )

    @admin.display(description="Number", ordering="pk")
    def number(self, one: Entitlement) -> str:
        return one.number


@admin.register(EntitlementVersion)
class EntitlementVersionAdmin(ReadOnlyAdmin):
    list_display = ("entitlement", "version", "at", "by", "reason")
    list_select_related = ("entitlement", "by")


@admin.register(Allocation)
class AllocationAdmin(ReadOnlyAdmin):
    list_display = ("entitlement", "person", "quantity", "assigned_on", "released_on", "source", "by")
    list_filter = ("source", ("released_on", admin.EmptyFieldListFilter))
    search_fields = ("=entitlement__id", "person__name")
    list_select_related = ("entitlement", "person", "by")
    buttons = (
        AdminButton(label="Import", url_name="allocation_import", on_row=False),
        AdminButton(label="Release", url_name="allocation_release", shown=lambda one: one.released_on is None),
    )


@admin.register(EntitlementImport)
class EntitlementImportAdmin(ReadOnlyAdmin):
    list_display = ("file_name", "state", "uploaded_by", "uploaded_at", "applied_at")
    list_filter = ("state",)
    list_select_related = ("uploaded_by",)
    buttons = (AdminButton(label="Import", url_name="entitlement_import_new", on_row=False),)
    related_lists = (RelatedList(label="Lines", of="subscriptions_entitlementimportrow", lookup="upload__id__exact"),)


@admin.register(EntitlementImportRow)
class EntitlementImportRowAdmin(ReadOnlyAdmin):
    list_display = ("upload", "line", "effect", "name", "problem", "note")
    list_filter = ("effect",)
    search_fields = ("name", "problem")
    list_select_related = ("upload",)


@admin.register(RenewalReminder)
class RenewalReminderAdmin(ReadOnlyAdmin):
    list_display = ("entitlement", "reduce_by", "days_before", "at", "account", "mail_state")
    list_filter = ("days_before",)
    list_select_related = ("entitlement", "account", "mail")
    exclude = ("mail",)

    @admin.display(description="Mail")
    def mail_state(self, one: RenewalReminder) -> str:
        if one.mail is not None:
            return str(one.mail.get_state_display())
        return "not kept any more" if one.account_id else "nobody with an address"

    def get_readonly_fields(self, request: HttpRequest, obj: RenewalReminder | None = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "mail_state")
