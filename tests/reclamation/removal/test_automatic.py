"""Mode automatic: a find reclaims what its rules have ready, asks first, and never more than a team allows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from profiles.jobs import execute, queue
from profiles.models import Credential, JobRun
from reclamation import find_candidates
from reclamation.find_candidates import FIND
from reclamation.models import Notice, RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.removal import automatic, batches
from reclamation.rules import versions
from reclamation.states import State
from tests import factories
from tests.reclamation.removal.place import state_of
from tests.reclamation.removal.stand_in import StandIn

pytestmark = pytest.mark.one_database

Batch = RemovalBatch.State


@pytest.fixture
def place(make_place: Any) -> Any:
    return make_place(mode="automatic", notify_user=True, approver="group")


def idle(place: Any, count: int) -> list[Any]:
    return [place.seat(f"m{number}") for number in range(count)]


def test_a_find_makes_one_batch_and_asks_the_users(place: Any) -> None:
    idle(place, 3)
    run = place.find()
    batch = RemovalBatch.objects.get()
    assert (batch.requested_by, batch.state, batch.size) == (None, Batch.OPEN, 3)
    assert {state_of(one) for one in RemovalCandidate.objects.all()} == {State.AWAITING_USER}
    assert Notice.objects.filter(kind="ask").count() == 3
    assert run.facts[automatic.FACT] == {"batch": batch.pk, "taken": 3, "waits": ""}
    assert not JobRun.objects.filter(process="reclaim").exists(), "nothing is to be removed before they had their time"


def test_the_next_find_and_runs_of_removals_make_no_second_batch(place: Any, time: Any) -> None:
    idle(place, 2)
    place.find()
    place.work()
    time.pass_by(days=1)
    place.refresh()
    place.find()
    place.work()
    assert RemovalBatch.objects.count() == 1


def test_where_nobody_has_to_be_asked_the_find_asks_for_a_run_of_removals(make_place: Any) -> None:
    place = make_place(mode="automatic", notify_user=True, approver="none")
    leaver = factories.person(left_on=timezone.localdate() - timedelta(days=9))
    factories.match(place.seat("gone"), leaver)
    place.find()
    assert RemovalAttempt.objects.get().state == "approved"
    assert JobRun.objects.get(process="reclaim").trigger == JobRun.Trigger.SCHEDULE


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "propose"},
        {"mode": "observe"},
        {"active": False},
        {"mode": "propose", "reviewed_at": None},
        {"observe_until": timedelta(days=3)},
    ],
)
def test_only_rules_that_act_and_were_reviewed(place: Any, change: dict[str, Any]) -> None:
    known = [place.candidate("early"), *idle(place, 1)]
    values = {name: timezone.now() + of if isinstance(of, timedelta) else of for name, of in change.items()}
    type(place.rule).objects.update(**values)
    place.find()
    assert not RemovalBatch.objects.exists() and not Notice.objects.exists()
    assert known[0].state == State.READY


@pytest.mark.parametrize("note", ["came_back", "active_after_leaving"])
def test_what_is_a_persons_to_weigh_and_what_a_person_proposed_is_left_to_people(
    place: Any, ann: Any, note: str
) -> None:
    odd = place.candidate("odd", evidence={"notes": [note], "last_activity": None, "covered": True})
    by_hand = place.candidate("hand", opened_by=ann)
    place.find()
    assert (state_of(odd), state_of(by_hand)) == (State.READY, State.READY)
    assert not RemovalBatch.objects.exists()


def test_on_the_day_of_a_jump_nobody_is_asked_and_the_day_after_they_are(place: Any, time: Any) -> None:
    idle(place, 11)
    run = place.find()
    assert run.facts["jump"]["is_over"] and not RemovalBatch.objects.exists() and not Notice.objects.exists()
    time.pass_by(hours=2)
    place.find()
    assert not RemovalBatch.objects.exists(), "it is the same day"
    time.pass_by(days=1)
    place.refresh()
    place.find()
    assert RemovalBatch.objects.get().size == 11


def test_above_the_quota_the_batch_waits_for_a_person_and_home_leads_there(place: Any, ann: Any, client: Any) -> None:
    idle(place, 7)  # of 100 licenses 5 may go without a second person
    run = place.find()
    batch = RemovalBatch.objects.get()
    assert batch.state == Batch.QUARANTINED and not Notice.objects.exists()
    assert any(str(batch) in text and "second person" in text for text in run.warnings)
    client.force_login(ann)
    page = client.get("/").text
    assert "/removal-batches/?state=quarantined" in page and "waiting for a second person" in page
    assert str(batch) in client.get("/removal-batches/?state=quarantined").text
    batches.decide(batch.pk, approve=True, by=ann, now=timezone.now())
    assert Notice.objects.filter(kind="ask").count() == 7


def test_above_the_ceiling_the_oldest_are_taken_and_the_rest_is_told(make_place: Any, ann: Any, client: Any) -> None:
    place = make_place(StandIn(licenses=15), mode="automatic", notify_user=True, approver="group")
    idle(place, 5)
    run = place.find()
    batch = RemovalBatch.objects.get()
    assert batch.size == 3, "a fifth of the licenses"
    taken = list(batch.candidates.order_by("pk").values_list("pk", flat=True))
    assert taken == list(RemovalCandidate.objects.order_by("pk").values_list("pk", flat=True)[:3])
    assert (
        "2 candidates wait" in run.facts[automatic.FACT]["waits"] and run.facts[automatic.FACT]["waits"] in run.warnings
    )
    client.force_login(ann)
    page = client.get("/").text
    assert automatic.TITLE in page
    assert "2 candidates wait" in client.get(place.profile.get_absolute_url()).text


@pytest.mark.parametrize("what", ["switched off", "not connected"])
def test_nobody_is_asked_where_nothing_could_be_removed_afterwards(place: Any, what: str) -> None:
    idle(place, 2)
    if what == "switched off":
        type(place.profile).objects.filter(pk=place.profile.pk).update(reclaim=False)
    else:
        Credential.objects.update(state=Credential.State.NEEDS_AUTHORIZATION)
    place.profile.refresh_from_db()
    run = place.find()
    assert not RemovalBatch.objects.exists() and not Notice.objects.exists()
    assert run.facts[automatic.FACT]["waits"].startswith("2 candidates are not reclaimed automatically.")


def test_a_find_whose_worker_dies_after_the_batch_makes_no_second_one(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle(place, 2)
    versions.add_version(place.rule, by=None, now=timezone.now())
    run, _ = queue.request(queue.Request(FIND, JobRun.Trigger.SCHEDULE, profile=place.profile))
    assert run is not None
    job = execute.claim(run.pk)
    assert job is not None
    with monkeypatch.context() as patch:
        patch.setattr(batches, "make", lambda *given, **options: (_ for _ in ()).throw(OperationalError("gone")))
        with pytest.raises(OperationalError):
            find_candidates.run(job, now=timezone.now())
    assert not RemovalBatch.objects.exists()
    find_candidates.run(job, now=timezone.now())
    job.run.refresh_from_db()
    find_candidates.run(job, now=timezone.now())
    assert RemovalBatch.objects.count() == 1 and RemovalBatch.objects.get().size == 2


def test_who_cannot_be_asked_leaves_the_batch_with_the_reason_and_the_others_go_on(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seats = idle(place, 3)
    # in the moment between the find and the question somebody decides to keep one
    real = batches.make

    def make(*given: Any, **options: Any) -> RemovalBatch:
        type(seats[0]).objects.filter(pk=seats[0].pk).update(keep_until=timezone.localdate())
        return real(*given, **options)

    monkeypatch.setattr(batches, "make", make)
    run = place.find()
    batch = RemovalBatch.objects.get()
    ((number, reason),) = batches.left_out(batch)
    assert "kept" in reason and any(number in text and reason in text for text in run.warnings)
    assert batch.candidates.count() == 2 and Notice.objects.count() == 2
