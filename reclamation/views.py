"""Pages of removal candidates: the list, its export, one candidate, proposing a seat, closing as skipped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from reclamation import evidence as evidence_words, propose, selection, workflow
from reclamation.filters import CandidateFilter, state_tabs
from reclamation.forms import ProposalForm, SkipForm
from reclamation.models import RemovalCandidate
from reclamation.removal import evidence_file
from reclamation.rules import settings_of
from reclamation.selected.assign import UNDO
from reclamation.selection import CANDIDATES, allowed_actions, visible_candidates
from reclamation.tables import CandidateTable
from samsaas import audit
from samsaas.lib import csv_export, selection_bar, tables
from samsaas.lib.http import SignedInRequest
from samsaas.lib.selection import PARAMETER, read_for_file
from subscriptions.activity import last_used
from subscriptions.models import Subscription

HEADER = (
    *("Number", "Display name", "User principal name", "External user id", "Software model", "Subscription profile"),
    *(
        "State",
        "Reason",
        "Rule",
        "User left",
        "Justification",
        "Note",
        "Last activity",
        "Kind of activity",
        "Time covered",
        "Inactive days",
    ),
    *("Inactive days are", "File events", "Opened", "Opened by", "Closed"),
)


def candidate_list(request: HttpRequest) -> HttpResponse:
    """The candidates. Without a filter only open ones are listed."""
    rows, chosen = visible_candidates(request), read_for_file(request, CANDIDATES)
    context = tables.listing(request, rows, CandidateTable, CandidateFilter, describe=_with_row_facts, chosen=chosen)
    selection_bar.prepare_page(request, context, CANDIDATES, allowed_actions(request))
    context["more_files"] = [
        ("CSV with all facts", f"{reverse('candidate_export')}?{CANDIDATES.filter_part(request.GET)}")
    ]
    context["undo"] = request.session.get(UNDO)
    is_cut = getattr(context["table"].paginator, "is_cut", False)
    context["tabs"] = state_tabs(request, rows, has_numbers=not is_cut)
    return render(request, "reclamation/candidate_list.html", context)


def _with_row_facts(candidates: QuerySet[RemovalCandidate]) -> QuerySet[RemovalCandidate]:
    related = ("opened_by", "assigned_to", "assignment_group", "subscription__identifier__software_model")
    return candidates.select_related(*related)


def candidate_export(request: HttpRequest) -> HttpResponseBase:
    """The selected rows, or those of the filtered list, as CSV. If they cannot be told, back to the list."""
    token = request.GET.get(PARAMETER)
    try:
        chosen = CANDIDATES.filter_part(request.GET)
        rows = selection.read(request, token) if token else CANDIDATES.matching_rows(request, chosen)
    except selection.SelectionGone as gone:
        if token:  # of a filter, the list itself names the problem
            messages.error(request, str(gone))
        return redirect(CANDIDATES.address("" if token else request.GET.urlencode()))
    filters = {"selected": "yes"} if token else request.GET.dict()
    audit.record_export(request.user, "removal candidates", rows=rows.count(), filters=filters)
    return csv_export.stream("removal-candidates", HEADER, _export_rows(rows.select_related("opened_by", "rule")))


def _export_rows(candidates: QuerySet[RemovalCandidate]) -> Iterator[tuple[Any, ...]]:
    for one in candidates.order_by("-pk").iterator(chunk_size=2000):
        at = one.evidence["last_activity"]
        yield (
            *(one.number, one.display_name, one.email, one.external_id, one.software_model, one.profile_name),
            *(one.get_state_display(), evidence_words.reason_label(one), one.rule.name if one.rule else ""),
            *(one.is_leaver, one.get_justification_display(), one.note),
            *(datetime.fromisoformat(at) if at else None, one.evidence["kind"], one.evidence["covered"]),
            *(one.evidence["inactive_days"], evidence_words.exactness(one), evidence_words.file_events(one)),
            one.opened_at,
            *(one.opened_by.get_username() if one.opened_by else "samsaas", one.closed_at),
        )


def candidate_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One candidate: its seat, its evidence, and the history of its states."""
    related = (
        *("subscription__identifier__software_model", "subscription__match__person", "profile__alias__parent", "batch"),
        *("opened_by", "rule__assignment_group", "rule_version__rule", "assigned_to", "assignment_group"),
    )
    candidate = get_object_or_404(RemovalCandidate.objects.select_related(*related), pk=pk)
    at = candidate.evidence["last_activity"]
    context = {
        "candidate": candidate,
        "last_activity": datetime.fromisoformat(at) if at else None,
        "history": candidate.history.select_related("by"),
        "notes": candidate.notes.select_related("by"),
    }
    return render(request, "reclamation/candidate_detail.html", context)


def candidate_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about the candidate as one signed file. Without a key to sign with, back to the candidate."""
    related = ("opened_by", "assigned_to", "assignment_group", "rule_version__rule", "rule_version__by")
    candidate = get_object_or_404(RemovalCandidate.objects.select_related(*related), pk=pk)
    try:
        content = evidence_file.write(candidate, now=timezone.now())
    except ImproperlyConfigured as problem:
        messages.error(request, f"{problem} Evidence files are signed, so there is none.")
        return redirect(candidate)
    digest = sha256(content).hexdigest()
    audit.record(request.user, "downloaded evidence file", candidate, sha256=digest)
    answer = HttpResponse(content, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="evidence-{candidate.number}.zip"'
    return answer


def candidate_propose(request: SignedInRequest, pk: int) -> HttpResponse:
    """Propose a seat by hand. If it already has an open candidate, show that one."""
    related = ("profile", "identifier__software_model", "last_activity")
    seats = last_used.with_idle_facts(Subscription.objects.select_related(*related), timezone.now())
    seat = get_object_or_404(seats, pk=pk)
    form = ProposalForm(request.POST or None)
    try:
        propose.check_seat(seat)
        if form.is_valid():
            candidate = propose.run(seat, **form.cleaned_data, by=request.user, now=timezone.now())
            messages.success(request, f"{candidate.number} was opened. Nothing was removed.")
            return redirect(candidate)
    except propose.AlreadyOpen as found:
        messages.info(request, str(found))
        return redirect(found.candidate)
    except propose.ProposalRefused as reason:
        messages.error(request, str(reason))
        return redirect(seat)
    return render(request, "reclamation/candidate_propose.html", {"seat": seat, "form": form})


def candidate_skip(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close a candidate as skipped, with a reason."""
    candidate = get_object_or_404(RemovalCandidate.objects.select_related("rule", "rule_version"), pk=pk)
    if not candidate.is_open:
        messages.info(request, f"{candidate.number} is already closed.")
        return redirect(candidate)
    cool_down = settings_of(candidate).cool_down_days
    form = SkipForm(request.POST or None, today=timezone.localdate(), cool_down_days=cool_down)
    if not form.is_valid():
        return render(request, "reclamation/candidate_skip.html", {"candidate": candidate, "form": form})
    try:
        workflow.skip(candidate, **form.cleaned_data, by=request.user, now=timezone.now())
    except workflow.NotAllowed:
        messages.info(request, f"{candidate.number} was closed in the meantime.")
    else:
        messages.success(request, f"{candidate.number} was closed as skipped.")
    return redirect(candidate)
