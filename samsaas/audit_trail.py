"""The audit trail's pages: its entries and the state of their seals, verifying them, and the trail as a file."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import Any

import django_filters
from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from profiles.jobs import queue
from profiles.models import JobRun
from samsaas import audit, audited_pages
from samsaas.lib import column_values, search, tables
from samsaas.lib.columns import MarkupColumn
from samsaas.lib.http import SignedInRequest
from samsaas.models import AuditEntry
from samsaas.processes import VERIFY_AUDIT, WHOLE_TRAIL
from samsaas.sealing import state, trail_file

MOST_CHOICES = 500


class AuditTable(tables.Table):
    caption = "Audit trail"
    indexed = ("at", "actor_name", "verb")
    empty_title = "Nothing has happened yet"
    in_files = (("Kind of object", "object_type"), ("Object number", "object_id"))

    at = MarkupColumn("{{ record.at|when }}", verbose_name="When")
    actor_name = MarkupColumn(
        "{% if record.actor_name %}{{ record.actor_name|outside }}{% else %}System{% endif %}", verbose_name="Who"
    )
    verb = MarkupColumn("{{ record.verb|capfirst }}", verbose_name="Did")
    object_name = MarkupColumn(
        '{% if record.page %}<a class="clamp" href="{{ record.page }}">{{ record.object_name|outside }}</a>'
        '{% else %}<span class="clamp">{{ record.object_name|outside }}</span>{% endif %}'
        '{% if record.object_id %}<a class="sub" href="?kind={{ record.object_type|urlencode }}'
        '&amp;number={{ record.object_id|urlencode }}">{{ record.object_type }} {{ record.object_id }}</a>'
        '{% else %}<span class="sub">{{ record.object_type }}</span>{% endif %}',
        verbose_name="To",
    )
    detail = MarkupColumn("{{ record.detail|readable }}", orderable=False)

    class Meta(tables.Table.Meta):
        model = AuditEntry
        fields = ("at", "actor_name", "verb", "object_name", "detail")
        order_by = "-at"

    def value_at(self, record: AuditEntry) -> datetime:
        return record.at

    def value_object_name(self, record: AuditEntry) -> str:
        return record.object_name

    def value_detail(self, record: AuditEntry) -> str:
        return json.dumps(record.detail, ensure_ascii=False) if record.detail else ""


DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _stored_values(column: str) -> list[tuple[str, str]]:
    """The values stored in a column of the audit trail, as choices of a filter."""
    return column_values.choices(AuditEntry, column, most=MOST_CHOICES)


class AuditFilter(tables.ListFilter):
    q = tables.search(placeholder="Object, action or person", method="find")
    verb = django_filters.ChoiceFilter(label="Action", choices=partial(_stored_values, "verb"), empty_label="Any")
    actor = django_filters.ChoiceFilter(
        label="Person", field_name="actor_name", choices=partial(_stored_values, "actor_name"), empty_label="Anybody"
    )
    kind = django_filters.ChoiceFilter(
        label="Kind of object",
        field_name="object_type",
        choices=partial(_stored_values, "object_type"),
        empty_label="Any",
    )
    number = django_filters.CharFilter(label="Object number", field_name="object_id", max_length=40)
    since = django_filters.DateFilter(label="From", field_name="at", lookup_expr="date__gte", widget=DAY)
    until = django_filters.DateFilter(label="Until", field_name="at", lookup_expr="date__lte", widget=DAY)

    class Meta:
        model = AuditEntry
        fields = ("q", "verb", "actor", "kind", "number", "since", "until")

    def find(self, queryset: QuerySet[AuditEntry], name: str, value: str) -> QuerySet[AuditEntry]:
        return search.find(queryset, value, "object_name", "verb", "actor_name")


def audit_list(request: SignedInRequest) -> HttpResponse:
    """The audit trail, newest entry first, and how far it is sealed."""
    context: dict[str, Any] = tables.listing(request, AuditEntry.objects.all(), AuditTable, AuditFilter)
    audited_pages.add_pages(context["table"].page.object_list.data, request.user)
    verified = JobRun.objects.filter(process=VERIFY_AUDIT, subject=WHOLE_TRAIL).first()
    chain = state.describe_chain(now=timezone.now())
    return render(request, "samsaas/audit_list.html", {**context, "chain": chain, "verified": verified})


@require_POST
def audit_verify(request: SignedInRequest) -> HttpResponse:
    """Ask for a verification of the whole trail, and show its run."""
    asked = queue.Request(VERIFY_AUDIT, JobRun.Trigger.MANUAL, subject=WHOLE_TRAIL, by=request.user)
    run, fresh = queue.request(asked)
    if run is None:
        return redirect("audit_list")
    if not fresh:
        messages.info(request, "The audit trail is being verified already.")
    return redirect(run)


def audit_export(request: SignedInRequest) -> StreamingHttpResponse:
    """The whole trail with its seals, as a file that `verify_audit --file` checks elsewhere."""
    now = timezone.now()
    audit.record_export(request.user, "audit trail with seals", rows=AuditEntry.objects.count(), filters={})
    answer = StreamingHttpResponse(trail_file.write(now=now), content_type="application/x-ndjson; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="audit-trail-{timezone.localdate(now)}.jsonl"'
    return answer
