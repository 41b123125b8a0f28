"""The one door of a candidate's state: what it writes, what it refuses, and who comes second."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from reclamation import workflow
from reclamation.models import RemovalCandidate, StateChange
from reclamation.states import CLOSED, OPEN, State
from samsaas.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", OPEN)
def test_skipping_writes_candidate_history_and_audit_together(account: Any, state: State) -> None:
    candidate, now, admin = factories.candidate(state=state), timezone.now(), account("sam_admin")
    workflow.skip(candidate, reason="She is on leave.", by=admin, now=now)
    candidate.refresh_from_db()
    assert (candidate.state, candidate.closed_at) == (State.CLOSED_SKIPPED, now)
    change = candidate.history.get()
    assert (change.from_state, change.to_state, change.at) == (state, State.CLOSED_SKIPPED, now)
    assert (change.by, change.reason) == (admin, "She is on leave.")
    line = AuditEntry.objects.get(verb="moved removal candidate")
    assert line.object_name == str(candidate) and line.actor_id == admin.pk
    assert line.detail == {"before": state.label, "after": "Closed Skipped", "reason": "She is on leave."}


@pytest.mark.parametrize("state", CLOSED)
def test_what_is_closed_is_not_moved_and_nothing_is_written(account: Any, state: State) -> None:
    candidate = factories.candidate(state=state)
    with pytest.raises(workflow.NotAllowed):
        workflow.skip(candidate, reason="Once more", by=account("sam_admin"), now=timezone.now())
    candidate.refresh_from_db()
    assert candidate.state == state
    assert not StateChange.objects.exists() and not AuditEntry.objects.exists()


def test_whoever_comes_second_is_told_and_changes_nothing(account: Any) -> None:
    """Both read the candidate while it was Ready; the second one's copy says so still."""
    first = factories.candidate()
    second, admin = RemovalCandidate.objects.get(pk=first.pk), account("sam_admin")
    workflow.skip(first, reason="The first", by=admin, now=timezone.now())
    with pytest.raises(workflow.NotAllowed):
        workflow.skip(second, reason="The second", by=admin, now=timezone.now())
    assert StateChange.objects.get().reason == "The first"
    assert AuditEntry.objects.count() == 1


def test_the_history_cannot_be_changed_or_deleted(account: Any) -> None:
    candidate = factories.candidate()
    workflow.skip(candidate, reason="Kept", by=account("sam_admin"), now=timezone.now())
    change = candidate.history.get()
    with pytest.raises(TypeError):
        change.save()
    with pytest.raises(TypeError):
        change.delete()


def test_the_database_allows_one_open_candidate_a_seat_and_any_number_of_closed_ones() -> None:
    seat = factories.subscription()
    for state in (State.CLOSED_SKIPPED, State.CLOSED_CANCELED, State.READY):
        factories.candidate(seat, state=state)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.candidate(seat, state=State.AWAITING_USER)


@pytest.mark.parametrize(("state", "closed"), [(State.CLOSED_SKIPPED, False), (State.READY, True)])
def test_the_database_ties_the_time_of_closing_to_the_state(state: State, closed: bool) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.candidate(state=state, closed_at=timezone.now() if closed else None)
