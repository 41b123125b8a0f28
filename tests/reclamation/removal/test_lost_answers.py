"""A call whose answer is lost, or comes late: nobody calls blindly again, and what may have happened counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors import base
from profiles.jobs import queue
from reclamation import attempts
from reclamation.models import RemovalAttempt, RemovalBatch
from reclamation.removal import limits
from reclamation.states import State
from tests.reclamation.removal.place import attempt_of, state_of

Attempt = RemovalAttempt.State


@pytest.mark.parametrize("fault", ["lost before", "lost after"])
def test_a_lost_answer_is_followed_by_looks_and_never_by_a_second_blind_call(
    place: Any, ann: Any, time: Any, fault: str
) -> None:
    candidate = place.candidate("eve")
    place.team.arm("withdraw", fault)
    place.reclaim(candidate, by=ann)
    place.work()
    assert attempt_of(candidate).state == Attempt.UNKNOWN
    for minutes in (10, 10):
        time.pass_by(minutes=minutes)
        place.work()
    assert place.team.called("withdraw") == ["dbmid:eve"] and attempt_of(candidate).state == Attempt.UNKNOWN
    time.pass_by(minutes=11)
    place.work()
    if fault == "lost after":
        assert attempt_of(candidate).state == Attempt.REMOVED
        return
    assert attempt_of(candidate).state == Attempt.UNKNOWN and len(place.team.called("withdraw")) == 1
    time.pass_by(minutes=6)
    place.refresh()
    place.work()
    assert attempt_of(candidate).state == Attempt.REMOVED
    assert len(place.team.called("withdraw")) == 2 and len(place.team.effects) == 1


def lose_answer(place: Any, candidate: Any, time: Any, *faults: Any) -> Any:
    """A call about the candidate whose answer is lost, and the looks that find the member as it was."""
    place.team.arm("withdraw", "lost before", *faults)
    place.reclaim(candidate, by=place.ann)
    place.work()
    time.pass_by(minutes=31)
    place.work()
    time.pass_by(hours=30)  # the directory is too old for another call
    place.work()
    attempt = attempt_of(candidate)
    assert attempt.state == Attempt.GATED and len(place.team.called("withdraw")) == 1
    return attempt


@pytest.fixture
def strict(place: Any, ann: Any) -> Any:
    """A team of which one member a week is removed without a second person."""
    type(place.profile.alias).objects.filter(pk=place.profile.alias.pk).update(reclaim_quota=1)
    place.ann = ann
    return place


def test_a_call_whose_answer_was_lost_counts_for_the_limits_all_the_same(strict: Any, time: Any) -> None:
    """What is seen after it proves that nothing happened yet, and no more than that."""
    eve, bob = strict.candidate("eve"), strict.candidate("bob")
    first = lose_answer(strict, eve, time)
    assert limits.figures_for(strict.profile, now=timezone.now()).week == 1 and first.called_at
    assert strict.reclaim(bob, by=strict.ann).state == RemovalBatch.State.QUARANTINED
    time.pass_by(hours=1)
    strict.refresh()
    strict.work()
    assert strict.team.called("withdraw") == ["dbmid:eve", "dbmid:eve"], "its own earlier call is no other"
    assert attempt_of(eve).state == Attempt.REMOVED
    assert limits.figures_for(strict.profile, now=timezone.now()).week == 1


def test_a_second_call_that_the_vendor_puts_off_leaves_the_first_one_counted(strict: Any, time: Any) -> None:
    eve = strict.candidate("eve")
    first = lose_answer(strict, eve, time, base.Throttled("Wait", retry_after=60))
    time.pass_by(hours=1)
    strict.refresh()
    strict.work()
    again = attempt_of(eve)
    assert (again.state, again.called_at) == (Attempt.GATED, first.called_at)
    assert len(strict.team.called("withdraw")) == 2
    time.pass_by(days=8)
    assert limits.figures_for(strict.profile, now=timezone.now()).week == 0


def test_who_is_restored_while_nobody_knows_is_never_removed_again(place: Any, ann: Any, time: Any) -> None:
    candidate = place.candidate("eve")
    place.team.arm("withdraw", "lost after")
    place.reclaim(candidate, by=ann)
    place.work()
    time.pass_by(minutes=5)
    place.team.restore_by_hand("dbmid:eve")
    time.pass_by(minutes=26)
    place.work()
    assert (attempt_of(candidate).state, state_of(candidate)) == (Attempt.CANCELED, State.CLOSED_SKIPPED)
    time.pass_by(minutes=6)
    place.work()
    assert place.team.called("withdraw") == ["dbmid:eve"]
    candidate.subscription.refresh_from_db()
    assert candidate.subscription.keep_until


@pytest.mark.parametrize("minutes", [4, 29])
def test_looks_before_a_call_by_a_clock_that_is_set_back_are_no_looks_after_it(
    place: Any, ann: Any, time: Any, minutes: int
) -> None:
    """A worker whose clock is behind calls again: what was seen before has a later time, and says nothing."""
    candidate = place.candidate("eve")
    place.team.arm("withdraw", "lost before", "lost before")
    place.reclaim(candidate, by=ann)
    place.work()
    time.pass_by(minutes=31)
    place.work()
    time.pass_by(minutes=6)
    place.refresh()
    attempt = attempt_of(candidate)
    seen = [{**one, "again": True} for one in attempt.looks]
    attempts.seize(attempt, Attempt.GATED, looks=seen, not_before=None)
    time.pass_by(minutes=-minutes)
    place.refresh()
    place.work()
    assert attempt_of(candidate).state == Attempt.UNKNOWN and len(place.team.called("withdraw")) == 2
    time.pass_by(minutes=31)
    place.refresh()
    place.work()
    assert attempt_of(candidate).state == Attempt.UNKNOWN and len(place.team.called("withdraw")) == 2


@pytest.mark.parametrize("behind", [0, 100, 280])
@pytest.mark.parametrize("fault", ["lost after", ("late", timedelta(seconds=20))])
def test_who_is_restored_by_a_clock_that_is_behind_is_never_removed_again(
    place: Any, ann: Any, time: Any, behind: int, fault: Any
) -> None:
    """The vendor's clock may be behind ours by as much as the gate lets pass: its word seems older than the call."""
    place.team.clock_ahead, place.team.skew = -timedelta(seconds=behind), -behind
    candidate = place.candidate("eve", opened_at=timezone.now())
    place.team.arm("withdraw", fault)
    place.reclaim(candidate, by=ann)
    place.work()
    time.pass_by(minutes=1)
    place.team.tick()
    place.team.restore_by_hand("dbmid:eve")
    for minutes in (30, 6, 6):
        time.pass_by(minutes=minutes)
        place.refresh()
        place.work()
    assert (attempt_of(candidate).state, state_of(candidate)) == (Attempt.CANCELED, State.CLOSED_SKIPPED)
    assert place.team.called("withdraw") == ["dbmid:eve"]


def test_who_is_restored_while_the_vendors_clock_is_wrong_for_a_moment_is_never_removed_again(
    place: Any, ann: Any, time: Any
) -> None:
    """Its log has the restoring an hour before our call, and when we look the clock is right again."""
    candidate = place.candidate("eve")
    place.team.arm("withdraw", "lost after")
    place.reclaim(candidate, by=ann)
    place.work()
    place.team.clock_ahead = -timedelta(hours=1)
    place.team.restore_by_hand("dbmid:eve")
    place.team.clock_ahead = timedelta(0)
    for minutes in (31, 6, 6):
        time.pass_by(minutes=minutes)
        place.refresh()
        place.work()
    assert (attempt_of(candidate).state, state_of(candidate)) == (Attempt.CANCELED, State.CLOSED_SKIPPED)
    assert place.team.called("withdraw") == ["dbmid:eve"]


def test_a_job_of_the_vendor_is_followed_to_its_end(place: Any, ann: Any, time: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.job.Job.wait", lambda *given: time.pass_by(seconds=3))
    candidate = place.candidate("eve")
    place.team.arm("withdraw", "job")
    place.reclaim(candidate, by=ann)
    place.work()
    time.pass_by(minutes=3)
    place.work()
    assert attempt_of(candidate).state == Attempt.REMOVED
    assert place.team.called("withdraw") == ["dbmid:eve"]


def test_a_job_that_the_vendor_lost_is_looked_after(place: Any, ann: Any, time: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.job.Job.wait", lambda *given: time.pass_by(seconds=3))
    candidate = place.candidate("eve")
    place.team.arm("withdraw", "broken job")
    place.reclaim(candidate, by=ann)
    place.work()
    assert attempt_of(candidate).state == Attempt.UNKNOWN
    time.pass_by(minutes=31)
    place.work()
    assert attempt_of(candidate).state == Attempt.REMOVED


def test_a_job_without_end_becomes_a_persons(place: Any, ann: Any, time: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.job.Job.wait", lambda *given: time.pass_by(seconds=3))
    candidate = place.candidate("eve")
    place.team.arm("withdraw", "endless job")
    place.reclaim(candidate, by=ann)
    for _ in range(30):
        time.pass_by(hours=1)
        place.work()
    assert attempt_of(candidate).state == Attempt.NEEDS_HUMAN
    assert place.team.called("withdraw") == ["dbmid:eve"], "its work goes on at the vendor, so it is not called again"


def test_a_worker_that_stood_still_and_was_overtaken_calls_nobody(place: Any, ann: Any, time: Any) -> None:
    """It wakes up after its lease: another worker has removed the member, and somebody has restored it."""
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    overtaken = []

    def stand_still(verb: str, member: str) -> None:
        if verb == "look" and len(place.team.called("look")) == 1 and not overtaken:
            overtaken.append(member)
            time.pass_by(minutes=10)
            queue._recover_lost()
            place.work()
            place.team.restore_by_hand(member)

    place.team.before_call = stand_still
    place.work()
    assert overtaken and place.team.called("withdraw") == ["dbmid:eve"]
    assert place.team.state_of("dbmid:eve") == "present"
    assert attempt_of(candidate).state == Attempt.REMOVED, "as the other worker left it"
    time.pass_by(days=7, minutes=1)
    place.team.before_call = lambda *given: None
    place.work()
    assert (attempt_of(candidate).state, attempt_of(candidate).restored_where) == (Attempt.RESTORED, "vendor")
    assert state_of(candidate) == State.CLOSED_SKIPPED and place.team.called("withdraw") == ["dbmid:eve"]
