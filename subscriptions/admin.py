"""Core UI: software models and subscriptions."""

from __future__ import annotations

from django.contrib import admin

from samsaas.read_only_admin import ReadOnlyAdmin
from subscriptions.models import SoftwareModel, Subscription


@admin.register(SoftwareModel)
class SoftwareModelAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "publisher", "product", "edition", "created_at")
    list_filter = ("publisher",)
    search_fields = ("publisher", "product", "edition")


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """A million rows: the list is ordered by an index and joined once."""

    list_display = ("display_name", "email", "profile", "identifier", "status", "consumes_licence", "ended_at")
    list_filter = ("profile", "status", "consumes_licence")
    list_select_related = ("profile", "identifier")
    search_fields = ("display_name", "email", "=external_id")
