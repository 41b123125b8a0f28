"""Home and the audit trail: the pages that read from more than one app."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from profiles import notices
from profiles.models import IntegrationProfile, JobRun
from reclamation import jump
from samsaas import roles
from samsaas.lib import column_values, search, tables
from samsaas.models import AuditEntry
from subscriptions import figures, links
from subscriptions.models import Subscription
from subscriptions.templatetags import coverage

SHOWN = 8
RANK = {"bad": 0, "warn": 1, "info": 2, "idle": 3}
RECENT = 6
MOST_CHOICES = 500


def home(request: HttpRequest) -> HttpResponse:
    """The start page: what needs attention, the figures of all subscriptions, and the latest job runs."""
    if not roles.roles_of(request.user):
        return render(request, "samsaas/no_role.html")
    profiles = _urgent_first(timezone.now())
    needing = [profile for profile in profiles if profile.notices]
    context = {
        "profiles": figures.by_profile(Subscription.objects.all(), profiles[:SHOWN]),
        "needing": needing,
        "shown": needing[:SHOWN],
        "urgent": any(profile.attention or RANK[profile.notices[0].tone] < RANK["info"] for profile in needing),
        "runs": JobRun.objects.select_related("profile")[:RECENT],
    }
    return render(request, "samsaas/home.html", context | _seat_figures())


def _seat_figures() -> dict[str, Any]:
    """Counts of the subscriptions, and the vendors' own counts of licenses and seats."""
    by_status = figures.by_status(Subscription.objects.all())
    return {
        "by_status": by_status,
        "current": sum(part["value"] for part in by_status),
        "consuming": Subscription.objects.consuming().count(),
        "leavers": Subscription.objects.current().of_leavers(timezone.localdate()).count(),
        "leavers_url": links.list_url(user=links.LEFT),
        "reported": IntegrationProfile.objects.aggregate(
            licensed=Sum("licenses_reported"), used=Sum("seats_used_reported")
        ),
    }


def _urgent_first(now: datetime) -> list[Any]:
    """All profiles with their `notices`, most urgent first."""
    profiles: list[Any] = list(IntegrationProfile.objects.select_related("alias").order_by("display_name"))
    needs = notices.urgent_by_profile(profiles, now)
    for profile in profiles:
        profile.notices = needs[profile.pk]
    coverage.add_gaps(profiles)
    jump.add_notices(profiles, now)
    return sorted(profiles, key=lambda one: (not one.attention, min((RANK[n.tone] for n in one.notices), default=9)))


class AuditTable(tables.Table):
    caption = "Audit trail"
    empty_title = "Nothing has happened yet"

    at = tables.MarkupColumn("{{ record.at|when }}", verbose_name="When")
    actor_name = tables.MarkupColumn(
        "{% if record.actor_name %}{{ record.actor_name|outside }}{% else %}System{% endif %}", verbose_name="Who"
    )
    verb = tables.MarkupColumn("{{ record.verb|capfirst }}", verbose_name="Did")
    object_name = tables.MarkupColumn(
        '<span class="clamp">{{ record.object_name|outside }}</span><span class="sub">{{ record.object_type }}</span>',
        verbose_name="To",
    )
    detail = tables.MarkupColumn("{{ record.detail|readable }}", orderable=False)

    class Meta(tables.Table.Meta):
        model = AuditEntry
        fields = ("at", "actor_name", "verb", "object_name", "detail")
        order_by = "-at"


DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _stored_values(column: str) -> list[tuple[str, str]]:
    """The values stored in a column of the audit trail, as choices of a filter."""
    return column_values.choices(AuditEntry, column, most=MOST_CHOICES)


class AuditFilter(tables.ListFilter):
    finds_words = True

    q = tables.search(placeholder="Object, action or person", method="find")
    verb = django_filters.ChoiceFilter(label="Action", choices=partial(_stored_values, "verb"), empty_label="Any")
    actor = django_filters.ChoiceFilter(
        label="Person", field_name="actor_name", choices=partial(_stored_values, "actor_name"), empty_label="Anybody"
    )
    since = django_filters.DateFilter(label="From", field_name="at", lookup_expr="date__gte", widget=DAY)
    until = django_filters.DateFilter(label="Until", field_name="at", lookup_expr="date__lte", widget=DAY)

    class Meta:
        model = AuditEntry
        fields = ("q", "verb", "actor", "since", "until")

    def find(self, queryset: QuerySet[AuditEntry], name: str, value: str) -> QuerySet[AuditEntry]:
        return search.find(queryset, value, "object_name", "verb", "actor_name")


def audit_list(request: HttpRequest) -> HttpResponse:
    """The audit trail, newest entry first."""
    context: dict[str, Any] = tables.listing(request, AuditEntry.objects.all(), AuditTable, AuditFilter)
    return render(request, "samsaas/audit_list.html", context)
