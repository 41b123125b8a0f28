"""Removal candidates, rules, batches, attempts, exemptions and savings in the REST API.

A removal can be requested here and never approved: every batch of the API waits for a second person on its page.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request

from reclamation import propose, workflow
from reclamation.filters import CandidateFilter
from reclamation.forms import ProposalForm, SkipForm
from reclamation.models import (
    Exemption,
    ReclamationRule,
    RemovalAttempt,
    RemovalBatch,
    RemovalCandidate,
    SavingsEntry,
)
from reclamation.removal import batches, plan
from reclamation.removal.filters import AttemptFilter, BatchFilter
from reclamation.removal.forms import RequestForm
from reclamation.rules import settings_of
from reclamation.rules.filters import ExemptionFilter, RuleFilter
from reclamation.savings.filters import SavingsFilter
from reclamation.selected import add_note, assign
from reclamation.selected.forms import AssignForm, NoteForm
from samsaas.api.orders import fill_form, order
from samsaas.api.problems import CallRefused, Conflict
from samsaas.api.reading import Resource, find_row
from samsaas.api.routes import order_route, read_routes
from samsaas.api.rows import AccountName, ApiRow, Money, Text
from subscriptions.models import Subscription

CLOSED = "This candidate is closed."
NOT_READY = "Only candidates that are Ready and in no batch can be reclaimed. These cannot: {}."
ONE_TEAM = "These candidates belong to several teams. Ask for each team apart."
FIELDS_OF_RULE = (
    *("id", "software_model", "name", "active", "mode", "reviewed_at", "observe_until", "threshold_days"),
    *("minimum_age_days", "include_never_active", "include_invited", "include_suspended", "include_leavers"),
    *("invited_days", "logins_are_enough", "notify_user", "notice_days", "remind_before", "cool_down_days"),
    *("approver", "second_person", "destination", "undo_days", "release_allocation", "wipe_devices", "version"),
)


class RuleRow(ApiRow):
    class Meta:
        model = ReclamationRule
        fields = FIELDS_OF_RULE


class CandidateRow(ApiRow):
    number = Text()
    assigned_to, opened_by = AccountName(), AccountName()
    assignment_group = Text("assignment_group.name", allow_null=True, default=None)

    class Meta:
        model = RemovalCandidate
        fields = (
            *("id", "number", "subscription", "profile", "profile_name", "display_name", "email", "external_id"),
            *("software_model", "rule", "reason", "person_name", "is_leaver", "after_notice", "justification", "note"),
            *("state", "evidence", "attention", "assigned_to", "assignment_group", "hold", "hold_text", "batch"),
            *("deadline", "opened_at", "opened_by", "closed_at"),
        )


class BatchRow(ApiRow):
    requested_by, decided_by = AccountName(), AccountName()

    class Meta:
        model = RemovalBatch
        fields = (
            *("id", "profile", "profile_name", "vendor", "team_id", "requested_by", "requested_at", "dry_run"),
            *("state", "size", "legal_hold_checked", "evidence_checked", "admin_checked", "decided_by", "decided_at"),
        )


class AttemptRow(ApiRow):
    class Meta:
        model = RemovalAttempt
        fields = (
            *("id", "candidate", "batch", "profile", "vendor", "team_id", "external_id", "email", "dry_run", "state"),
            *("opened_at", "called_at", "answered_at", "withdrawn_at", "freed_at", "restorable_until", "move_after"),
            *("moved_at", "moved_by", "restored_at", "restored_where", "regret_at", "closed_at", "error_kind"),
            *("error_message", "error_remedy", "error_status", "error_request_id"),
        )


class ExemptionRow(ApiRow):
    by = AccountName()

    class Meta:
        model = Exemption
        fields = ("id", "person", "subscription", "reason", "until", "by", "at", "ended_at")


class SavingsRow(ApiRow):
    price, amount = Money("price"), Money("amount")

    class Meta:
        model = SavingsEntry
        fields = (
            *("id", "candidate", "kind", "quantity", "price", "amount", "on", "rule_name", "software_model"),
            *("entitlement", "profile_name", "department", "note"),
        )


class Rules(Resource):
    """Reclamation rules."""

    model, serializer_class, filterset = ReclamationRule, RuleRow, RuleFilter


class Exemptions(Resource):
    """Exemptions. Without the filter `state` the list has those that are valid today."""

    model, serializer_class, filterset, related = Exemption, ExemptionRow, ExemptionFilter, ("by",)


class Savings(Resource):
    """The ledger of savings."""

    model, serializer_class, filterset = SavingsEntry, SavingsRow, SavingsFilter


class Attempts(Resource):
    """Removals. Without the filters `state` and `kind` the list has real ones that are not over."""

    model, serializer_class, filterset = RemovalAttempt, AttemptRow, AttemptFilter


class Candidates(Resource):
    """Removal candidates. Without the filter `state` the list has the open ones."""

    model, serializer_class, filterset = RemovalCandidate, CandidateRow, CandidateFilter
    related = ("assigned_to", "opened_by", "assignment_group")

    @order(form=SkipForm, answer=CandidateRow)
    def close(self, request: Request, pk: int, body: dict[str, Any]) -> Any:
        """Close a candidate as skipped, with a reason, and keep its subscription for a while."""
        one = find_row(self, pk)
        days = settings_of(one).cool_down_days
        form = fill_form(SkipForm, body, today=timezone.localdate(), cool_down_days=days)
        try:
            workflow.skip(one, **form.cleaned_data, by=request.user, now=timezone.now())
        except workflow.NotAllowed as refused:
            raise Conflict(CLOSED) from refused
        return find_row(self, pk)

    @order(form=AssignForm, answer=CandidateRow)
    def assign(self, request: Request, pk: int, body: dict[str, Any]) -> Any:
        """Assign a candidate: `user-7`, `group-3` or `nobody`."""
        one = find_row(self, pk)
        form = fill_form(AssignForm, body)
        if not one.is_open:
            raise Conflict(CLOSED)
        assign.run([pk], form.cleaned_data["assignee"].columns, by=request.user)
        return find_row(self, pk)

    @order(form=NoteForm, answer=CandidateRow, status=HTTPStatus.CREATED)
    def notes(self, request: Request, pk: int, body: dict[str, Any]) -> Any:
        """Add a note to a candidate. It cannot be changed or deleted."""
        one = find_row(self, pk)
        form = fill_form(NoteForm, body)
        add_note.run([one.pk], text=form.cleaned_data["text"], by=request.user, now=timezone.now())
        return find_row(self, pk)


class Proposals(Resource):
    """Subscriptions that are proposed for removal by hand."""

    model, serializer_class = Subscription, CandidateRow

    @order(form=ProposalForm, answer=CandidateRow, status=HTTPStatus.CREATED)
    def propose(self, request: Request, pk: int, body: dict[str, Any]) -> Any:
        """Propose a subscription for removal. A candidate is opened, and nothing is removed."""
        seat = find_row(self, pk)
        form = fill_form(ProposalForm, body)
        try:
            return propose.run(seat, **form.cleaned_data, by=request.user, now=timezone.now())
        except propose.ProposalRefused as refused:
            raise Conflict(str(refused)) from refused


class Batches(Resource):
    """Batches of removals."""

    model, serializer_class, filterset = RemovalBatch, BatchRow, BatchFilter
    related = ("requested_by", "decided_by")

    @order(form=RequestForm, answer=BatchRow, status=HTTPStatus.CREATED)
    def create(self, request: Request, body: dict[str, Any]) -> Any:
        """Request that candidates of one team are reclaimed. Nothing is done until a second person has approved it."""
        form = fill_form(RequestForm, body, request=request)
        chosen, now = form.cleaned_data["candidates"], timezone.now()
        ready = find_ready(chosen)
        try:
            batch = batches.make(ready, by=request.user, now=now, ticks=form.ticks, must_wait=True)
        except batches.BatchRefused as refused:
            raise Conflict(str(refused)) from refused
        if batch.size != len(ready):  # others took some of them in this moment; what was made is rolled back
            raise Conflict("Some of these candidates were taken by somebody else in this moment. Ask again.")
        return find_row(self, batch.pk)


def find_ready(chosen: QuerySet[RemovalCandidate]) -> list[RemovalCandidate]:
    """All of the chosen candidates, of one team and ready. Raises `Conflict` or `CallRefused`: all or nothing."""
    plans = plan.make([one.pk for one in chosen], now=timezone.now())
    ready = [one for each in plans for one in each.ready]
    numbers = sorted({one.number for one in chosen} - {one.number for one in ready})
    if numbers:
        raise Conflict(NOT_READY.format(", ".join(numbers[:20])))
    if len(plans) > 1:
        raise CallRefused(errors={"candidates": [ONE_TEAM]})
    return ready


patterns = [
    *read_routes("rules", "rule", Rules),
    *read_routes("exemptions", "exemption", Exemptions),
    *read_routes("candidates", "candidate", Candidates),
    order_route("candidates", "candidate", Candidates, "close"),
    order_route("candidates", "candidate", Candidates, "assign"),
    order_route("candidates", "candidate", Candidates, "notes"),
    order_route("subscriptions", "subscription", Proposals, "propose"),
    *read_routes("batches", "batch", Batches, post="create"),
    *read_routes("attempts", "attempt", Attempts),
    *read_routes("savings", "saving", Savings),
]
