"""Core UI: the people behind subscriptions, their imports, the rules that find them, and what those found."""

from __future__ import annotations

from django.contrib import admin

from samsaas.read_only_admin import AdminButton, ReadOnlyAdmin, RelatedList
from subscriptions.models import Match, Person, PersonImport, ResolutionRule


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin):
    ordering = ("name", "pk")
    list_display = ("name", "key", "department", "country", "left_on")
    list_filter = (("left_on", admin.EmptyFieldListFilter),)
    search_fields = ("name", "=key")
    exclude = ("compared_key", "compared_name")
    buttons = (
        AdminButton(label="New", url_name="person_create", on_row=False),
        AdminButton(label="Import", url_name="person_import_new", on_row=False),
        AdminButton(label="Edit", url_name="person_edit"),
        AdminButton(label="Delete", url_name="person_delete"),
    )
    related_lists = (
        RelatedList(label="Subscriptions", of="subscriptions_match", lookup="person__id__exact"),
        RelatedList(label="User allocations", of="subscriptions_allocation", lookup="person__id__exact"),
        RelatedList(label="Exemptions", of="reclamation_exemption", lookup="person__id__exact"),
    )


@admin.register(PersonImport)
class PersonImportAdmin(ReadOnlyAdmin):
    list_display = ("file_name", "state", "uploaded_by", "uploaded_at", "applied_at")
    list_filter = ("state",)
    list_select_related = ("uploaded_by",)
    buttons = (AdminButton(label="Import", url_name="person_import_new", on_row=False),)


@admin.register(Match)
class MatchAdmin(ReadOnlyAdmin):
    list_display = ("subscription", "person", "rule", "by", "at")
    list_select_related = ("subscription", "person", "rule", "by")


@admin.register(ResolutionRule)
class ResolutionRuleAdmin(ReadOnlyAdmin):
    ordering = ("order", "pk")
    list_display = ("name", "order", "active", "source", "lookup", "transform")
    buttons = (
        AdminButton(label="New", url_name="resolution_rule_create", on_row=False),
        AdminButton(label="Edit", url_name="resolution_rule_edit"),
        AdminButton(label="Delete", url_name="resolution_rule_delete"),
    )
    related_lists = (RelatedList(label="Matches", of="subscriptions_match", lookup="rule__id__exact"),)
