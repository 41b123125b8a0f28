"""Core UI: removal candidates and the history of their states."""

from __future__ import annotations

from django.contrib import admin

from reclamation.models import RemovalCandidate, StateChange
from samsaas.read_only_admin import ReadOnlyAdmin


@admin.register(RemovalCandidate)
class RemovalCandidateAdmin(ReadOnlyAdmin):
    list_display = ("number", "display_name", "email", "profile_name", "state", "justification", "opened_at")
    list_filter = ("state", "justification")
    search_fields = ("=id", "display_name", "email", "=external_id", "profile_name")


@admin.register(StateChange)
class StateChangeAdmin(ReadOnlyAdmin):
    list_display = ("candidate", "from_state", "to_state", "at", "by", "reason")
    list_filter = ("to_state",)
    list_select_related = ("candidate", "by")
