"""The pages of removals: what a person reads before and after the press, and who may press what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reclamation.models import RemovalAttempt, RemovalBatch
from reclamation.removal import switch
from reclamation.states import State
from tests.reclamation.removal.place import ADMIN, attempt_of, state_of

Attempt = RemovalAttempt.State


@pytest.fixture
def manager(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def texts(client: Any, address: str, **given: Any) -> str:
    return client.get(address, given).content.decode()


def test_the_press_says_what_it_does_and_does_it_when_confirmed(place: Any, manager: Any) -> None:
    candidate = place.candidate("eve")
    address = "/removal-batches/new/"
    page = texts(manager, address, candidate=candidate.pk)
    for said in ("Reclaim 1 subscription?", "Remove the account", "undone for 7 days", "5 without a second person"):
        assert said in page
    assert not RemovalBatch.objects.exists()
    done = manager.post(address, {"candidate": candidate.pk, "confirm": "1", "legal_hold": "on"}, follow=True)
    assert "goes on with 1 subscription." in done.content.decode()
    assert state_of(candidate) == State.AWAITING_REVOCATION


def test_a_posted_selection_first_shows_the_page(place: Any, manager: Any) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(3)]
    page = manager.post("/removal-batches/new/", {"candidate": [one.pk for one in candidates]}).content.decode()
    assert "Reclaim 3 subscriptions?" in page and not RemovalBatch.objects.exists()


def test_above_the_quota_the_number_is_typed_and_a_second_person_decides(
    place: Any, manager: Any, signed_in: Any, time: Any
) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(6)]
    given = {"candidate": [one.pk for one in candidates], "confirm": "1", "legal_hold": "on"}
    page = manager.post("/removal-batches/new/", given).content.decode()
    assert "Type the number" in page and "A second person has to agree" in page
    assert manager.post("/removal-batches/new/", {**given, "typed": "5"}).status_code == 200
    assert not RemovalBatch.objects.exists()
    manager.post("/removal-batches/new/", {**given, "typed": "6"})
    batch = RemovalBatch.objects.get()
    own = texts(manager, f"/removal-batches/{batch.pk}/")
    assert "Another person has to decide" in own and "Approve<" not in own
    other = signed_in("sam_admin", username="second")
    assert "Approve<" in texts(other, f"/removal-batches/{batch.pk}/")
    time.pass_by(minutes=16)
    asks = other.post(f"/removal-batches/{batch.pk}/decide/", {"approve": "yes"}).content.decode()
    assert "password" in asks
    batch.refresh_from_db()
    assert batch.state == "quarantined"


def test_a_refused_batch_says_how_many_fit_and_when_the_rest_will(place: Any, manager: Any) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(21)]
    page = manager.post("/removal-batches/new/", {"candidate": [one.pk for one in candidates]}).content.decode()
    assert "Too many for this team" in page and "20 are possible now" in page


@pytest.mark.parametrize("chosen", ["", "0", "9" * 400, "-1", "x", "999999"])
def test_a_choice_that_is_none_leads_back(place: Any, manager: Any, chosen: str) -> None:
    answer = manager.get("/removal-batches/new/", {"candidate": chosen}, follow=True)
    assert answer.status_code == 200 and "None of these candidates" in answer.content.decode()


def test_the_candidates_page_tells_the_whole_removal(place: Any, manager: Any, time: Any) -> None:
    candidate = place.candidate("eve")
    assert "Reclaim" in texts(manager, candidate.get_absolute_url())
    place.reclaim(candidate, by=manager.user)
    place.work()
    page = texts(manager, candidate.get_absolute_url())
    for said in ("Restore<", "Move files now", "Every guard and its answer", "Still idle", "Last look to call", "ms"):
        assert said in page
    assert "Close Skipped" not in page or "candidate_skip" not in page


def test_restoring_and_moving_ask_first_and_then_act(place: Any, manager: Any) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=manager.user)
    place.work()
    attempt = attempt_of(candidate)
    assert "uses a license again" in texts(manager, f"/removals/{attempt.pk}/restore/")
    assert "cannot be restored any more" in texts(manager, f"/removals/{attempt.pk}/move/")
    assert attempt_of(candidate).state == Attempt.REMOVED
    until = timezone.localdate() + timedelta(days=10)
    manager.post(f"/removals/{attempt.pk}/restore/", {"keep_until": until.isoformat()})
    place.work()
    candidate.subscription.refresh_from_db()
    assert attempt_of(candidate).state == Attempt.RESTORED and candidate.subscription.keep_until == until
    late = manager.post(f"/removals/{attempt.pk}/move/", follow=True).content.decode()
    assert "not waiting for the end of its undo window" in late and place.team.called("finish") == []


@pytest.mark.parametrize("days", [-1, 400])
def test_a_day_that_is_over_or_far_away_is_refused(place: Any, manager: Any, days: int) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=manager.user)
    place.work()
    until = (timezone.localdate() + timedelta(days=days)).isoformat()
    page = manager.post(f"/removals/{attempt_of(candidate).pk}/restore/", {"keep_until": until})
    assert page.status_code == 200 and "within a year" in page.content.decode()
    assert attempt_of(candidate).state == Attempt.REMOVED


def test_the_switch_is_pressed_by_a_sam_admin_and_let_go_by_an_administrator(
    place: Any, manager: Any, signed_in: Any, time: Any
) -> None:
    manager.post("/removals/switch/", {"reason": "An odd import"})
    assert switch.paused_because(place.profile) == "Paused everywhere: An odd import"
    page = texts(manager, "/removals/switch/")
    assert "An odd import" in page and "Let removals go on" not in page
    assert manager.post("/removals/switch/on/", {"reason": "Fine"}).status_code == 403
    admin = signed_in("admin")
    time.pass_by(minutes=16)
    assert "password" in admin.post("/removals/switch/on/", {"reason": "Fine"}).content.decode()
    assert switch.paused_because(place.profile)


def test_limits_are_an_administrators_and_ask_for_the_password(
    place: Any, manager: Any, signed_in: Any, time: Any
) -> None:
    address = f"/aliases/{place.profile.alias_id}/removal-limits/"
    assert manager.get(address).status_code == 403
    admin = signed_in("admin")
    assert "a twentieth of the licenses" in texts(admin, address)
    time.pass_by(minutes=16)
    asked = admin.post(address, {"reclaim_quota": "9", "reclaim_ceiling": "20"})
    assert "password" in asked.content.decode()
    place.profile.alias.refresh_from_db()
    assert place.profile.alias.reclaim_quota is None


def test_resume_is_offered_and_makes_it_ready_again(place: Any, manager: Any) -> None:
    place.team.change(ADMIN, is_admin=True)
    candidate = place.candidate("eve", state=State.ATTENTION_REQUIRED, attention="Look at it")
    assert "Resume Reclaim" in texts(manager, candidate.get_absolute_url())
    manager.post(f"/removal-candidates/{candidate.pk}/resume/")
    assert state_of(candidate) == State.READY


def test_lists_cost_the_same_for_one_row_and_for_thirty(place: Any, manager: Any) -> None:
    place.team.licenses = 10_000
    type(place.profile).objects.update(licenses_reported=10_000)
    place.profile.refresh_from_db()
    first = place.candidate("m0")
    place.reclaim(first, by=manager.user)
    place.work()
    addresses = ("/removals/", "/removal-batches/", "/savings/", "/removal-candidates/")
    before = {address: queries(manager, address) for address in addresses}
    alias = place.profile.alias
    type(alias).objects.filter(pk=alias.pk).update(reclaim_quota=1000)
    for number in range(1, 30):
        place.reclaim(place.candidate(f"m{number}"), by=manager.user)
    place.work()
    assert RemovalAttempt.objects.filter(state=Attempt.REMOVED).count() == 30
    assert {address: queries(manager, address) for address in addresses} == before


def queries(client: Any, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(address).status_code == 200
    return len(found)


@pytest.mark.parametrize("address", ["/removals/", "/removal-batches/", "/savings/", "/removals/switch/"])
def test_without_anything_the_pages_say_what_to_do(db: None, manager: Any, address: str) -> None:
    assert manager.get(address).status_code == 200


def test_late_use_is_told_on_the_start_page_with_the_way_back(place: Any, manager: Any) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=manager.user)
    place.work()
    RemovalAttempt.objects.update(regret_at=timezone.now())
    for address in ("/", "/removals/", candidate.get_absolute_url()):
        page = texts(manager, address)
        assert "A removed account had been used" in page and "Restore the account" in page
