"""A profile is deleted: its open candidates become Closed Skipped, its closed ones stay, all of them readable."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from profiles import delete_profile
from profiles.models import IntegrationProfile
from reclamation import propose
from reclamation.models import RemovalCandidate, StateChange
from reclamation.states import CLOSED, OPEN, State
from samsaas.models import AuditEntry
from tests import factories

REASON = "The integration profile was deleted."


@pytest.mark.django_db
def test_open_candidates_are_skipped_with_history_and_closed_ones_stay_as_they_are(integrator: Any) -> None:
    doomed, neighbor = factories.profile(display_name="Doomed"), factories.candidate()
    ours = {state: factories.candidate(factories.subscription(profile=doomed), state=state) for state in State}
    delete_profile.run(doomed, by=integrator.user)
    for state, candidate in ours.items():
        closed_at = candidate.closed_at
        candidate.refresh_from_db()
        assert (candidate.subscription, candidate.profile, candidate.profile_name) == (None, None, "Doomed")
        if state in CLOSED:
            assert (candidate.state, candidate.closed_at) == (state, closed_at) and not candidate.history.exists()
        else:
            assert candidate.state == State.CLOSED_SKIPPED
            change = candidate.history.get()
            assert (change.from_state, change.to_state) == (state, State.CLOSED_SKIPPED)
            assert (change.by, change.reason, change.at) == (integrator.user, REASON, candidate.closed_at)
    line = AuditEntry.objects.get(verb="skipped removal candidates")
    assert line.object_name == "Doomed" and line.detail == {"candidates": len(OPEN), "reason": REASON}
    neighbor.refresh_from_db()
    assert neighbor.state == State.READY and neighbor.subscription and not neighbor.history.exists()


@pytest.mark.django_db
def test_a_candidate_stays_readable_when_its_profile_is_gone(integrator: Any) -> None:
    seat = factories.subscription(profile=factories.profile(display_name="Doomed"), display_name="Ada")
    candidate = factories.candidate(seat)
    delete_profile.run(seat.profile, by=integrator.user)
    page = integrator.get(candidate.get_absolute_url()).content.decode()
    for said in (
        "Ada",
        seat.email.split("@")[0],
        seat.external_id,
        "Doomed",
        "deleted since",
        "Closed Skipped",
        REASON,
    ):
        assert said in page
    assert candidate.number in integrator.get("/removal-candidates/?state=closed&q=doomed").content.decode()


@pytest.mark.django_db
def test_the_page_that_asks_first_says_how_many_become_closed_skipped(integrator: Any) -> None:
    profile = factories.profile()
    path = f"/integration-profiles/{profile.pk}/delete/"
    assert "removal candidates" not in integrator.get(path).content.decode()
    for state in (State.READY, State.AWAITING_USER, State.CLOSED_SKIPPED):
        factories.candidate(factories.subscription(profile=profile), state=state)
    stays = integrator.get(path).content.decode().split("Will be kept")[1]
    assert "Open removal candidates, which become Closed Skipped: 2" in stays
    assert "Closed removal candidates: 1" in stays


@pytest.mark.django_db
def test_a_deletion_that_fails_leaves_the_candidates_open(integrator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = factories.candidate()

    def refuses(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(delete_profile, "_clear_references", refuses)
    with pytest.raises(RuntimeError):
        delete_profile.run(candidate.profile, by=integrator.user)
    candidate.refresh_from_db()
    assert candidate.state == State.READY and not StateChange.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_proposal_in_the_middle_of_the_deletion_is_closed_with_it_or_refused(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proposal comes when the seats' references have been emptied and the seats are still there."""
    if not connection.features.has_select_for_update:
        pytest.skip("Writers wait for each other on SQLite.")
    user, seat = account("sam_admin"), factories.subscription()
    proposed, let_go = threading.Event(), delete_profile._clear_references

    def propose_it() -> None:
        propose.run(seat, justification="low_usage", note="", by=user, now=timezone.now())
        proposed.set()
        connections.close_all()

    def meanwhile(model: Any, rows: Any) -> None:
        let_go(model, rows)
        if model._meta.label == "subscriptions.Subscription":
            threading.Thread(target=propose_it).start()
            assert proposed.wait(20)

    monkeypatch.setattr(delete_profile, "_clear_references", meanwhile)
    delete_profile.run(seat.profile, by=user)
    assert not IntegrationProfile.objects.exists()
    candidate = RemovalCandidate.objects.get()
    assert (candidate.state, candidate.subscription) == (State.CLOSED_SKIPPED, None)
    assert [change.to_state for change in candidate.history.all()] == [State.READY, State.CLOSED_SKIPPED]
