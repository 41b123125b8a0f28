"""One removal from the press to its end: what is called, what is stored, what is undone, and who moves the files."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from reclamation.models import RemovalAttempt, SavingsEntry
from reclamation.removal import move, restore
from reclamation.states import State
from tests import factories
from tests.reclamation.removal.place import ADMIN, attempt_of, state_of

Attempt = RemovalAttempt.State


def test_a_removed_member_frees_its_seat_at_once_and_its_files_move_a_week_later(
    place: Any, ann: Any, time: Any
) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    place.work()
    attempt = attempt_of(candidate)
    assert (attempt.state, state_of(candidate)) == (Attempt.REMOVED, State.AWAITING_REVOCATION)
    seat = candidate.subscription
    seat.refresh_from_db()
    assert seat.ended_at == attempt.freed_at == attempt.withdrawn_at and seat.status == "removed"
    assert seat.ended_by_run.process == "reclaim"
    assert SavingsEntry.objects.get().kind == "freed"
    assert attempt.restorable_until == attempt.withdrawn_at + timedelta(days=7)
    (call,) = [one for one in place.team.calls if one.verb == "withdraw"]
    assert call.arguments == {"wipe": False, "destination": "", "transfer_admin": ""}
    assert attempt.check_to_call_ms is not None and attempt.check_to_call_ms < 2000
    assert {answer["answer"] for answer in attempt.gate_at_approval + attempt.gate_at_call} == {"pass"}

    time.pass_by(days=7, minutes=1)
    place.work()
    attempt.refresh_from_db()
    assert attempt.state == Attempt.MOVING and attempt.destination_external_id == ADMIN
    time.pass_by(minutes=1)
    place.work()
    attempt.refresh_from_db()
    assert (attempt.state, attempt.moved_by) == (Attempt.CLOSED, "event")
    assert state_of(candidate) == State.CLOSED_COMPLETE
    assert place.team.called("finish") == ["dbmid:eve"] and place.team.members["dbmid:eve"].files_at == ADMIN


def test_the_move_counts_ten_minutes_after_its_job_where_the_log_is_late(place: Any, ann: Any, time: Any) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    place.work()
    attempt = attempt_of(candidate)
    move.request_now(attempt, by=ann, now=timezone.now())
    place.work()
    place.team.log.clear()  # the vendor's log is late
    time.pass_by(minutes=5)
    place.work()
    attempt.refresh_from_db()
    assert attempt.state == Attempt.MOVING
    time.pass_by(minutes=6)
    place.work()
    attempt.refresh_from_db()
    assert (attempt.state, attempt.moved_by) == (Attempt.CLOSED, "time")


@pytest.mark.parametrize(
    ("after", "moved_by"), [({"hours": 5}, "event"), ({"hours": 70}, "event"), ({"days": 4}, "time")]
)
def test_a_late_word_of_the_log_corrects_by_what_the_files_count_as_moved(
    place: Any, ann: Any, time: Any, after: dict[str, int], moved_by: str
) -> None:
    """For as long as events come late; the vendor is asked no more often than a run goes on with something else."""
    candidate, other = place.candidate("eve"), place.candidate("liz")
    place.reclaim(candidate, by=ann)
    place.work()
    attempt = attempt_of(candidate)
    move.request_now(attempt, by=ann, now=timezone.now())
    place.work()
    late = list(place.team.log)
    place.team.log.clear()
    for _ in range(2):
        time.pass_by(minutes=11)
        place.work()
    assert attempt_of(candidate).moved_by == "time"
    place.team.log.extend(late)
    time.pass_by(**after)
    place.refresh()
    place.reclaim(other, by=ann)
    place.work()
    assert (attempt_of(candidate).moved_by, attempt_of(candidate).state) == (moved_by, Attempt.CLOSED)


@pytest.mark.parametrize(("seconds", "removed"), [(4, True), (6, False)])
def test_answers_that_came_too_slowly_are_not_acted_on_and_are_asked_for_again_later(
    place: Any, ann: Any, time: Any, seconds: int, removed: bool
) -> None:
    """It says why it waits and does wait: a run that begins again at once would ask the slow vendor without end."""
    candidate = place.candidate("eve")
    place.team.before_call = lambda verb, member: time.pass_by(seconds=seconds) if verb == "look" else None
    place.reclaim(candidate, by=ann)
    place.work()
    candidate.refresh_from_db()
    attempt = attempt_of(candidate)
    assert (place.team.called("withdraw") == ["dbmid:eve"]) == removed
    if not removed:
        assert "too old" in candidate.hold_text and attempt.not_before > timezone.now()
        place.team.before_call = lambda *given: None
        time.pass_by(minutes=2)
        place.work()
    assert attempt_of(candidate).state == Attempt.REMOVED


class TestFilesGoWithTheRemoval:
    """Undo days 0, as the original does it. Dropbox transfers to one account from one member at a time."""

    NAMES = ("amy", "bea", "cem", "dan", "eve", "fay")

    def reclaim_all(self, make_place: Any, ann: Any, **rule: Any) -> tuple[Any, list[Any]]:
        place = make_place(undo_days=0, **rule)
        place.team.licenses = 1000
        type(place.profile).objects.update(licenses_reported=1000)
        candidates = [place.candidate(name) for name in self.NAMES]
        place.reclaim(*candidates, by=ann)
        place.work()
        return place, candidates

    def test_a_batch_goes_one_after_the_other_and_nothing_is_refused(
        self, make_place: Any, ann: Any, time: Any
    ) -> None:
        place, candidates = self.reclaim_all(make_place, ann)
        place.team.transfer_time = timedelta(minutes=8)
        waiting = candidates[1]
        waiting.refresh_from_db()
        assert waiting.hold == "slot" and "One transfer at a time" in waiting.hold_text
        for _ in range(len(candidates)):
            time.pass_by(minutes=11)
            place.work()
        assert [attempt_of(one).state for one in candidates] == [Attempt.CLOSED] * len(candidates)
        assert place.team.called("withdraw") == [f"dbmid:{name}" for name in self.NAMES], "each once"
        assert {attempt_of(one).destination_external_id for one in candidates} == {ADMIN}
        assert {attempt_of(one).tries for one in candidates} == {0}

    def test_a_transfer_that_takes_hours_is_waited_for(self, make_place: Any, ann: Any, time: Any) -> None:
        place = make_place(undo_days=0)
        place.team.receives_until[ADMIN] = timezone.now() + timedelta(hours=7)  # somebody else's transfer
        candidate = place.candidate("eve")
        place.reclaim(candidate, by=ann)
        place.work()
        assert attempt_of(candidate).state == Attempt.GATED and not attempt_of(candidate).destination_external_id
        for _ in range(40):
            time.pass_by(minutes=20)
            place.refresh()
            place.work()
        attempt = attempt_of(candidate)
        assert (attempt.state, attempt.destination_external_id) == (Attempt.CLOSED, ADMIN)
        assert len(place.team.called("withdraw")) <= 6

    def test_whoever_receives_files_now_is_not_removed(self, make_place: Any, ann: Any, bob: Any, time: Any) -> None:
        place = make_place(undo_days=0, destination="named", destination_external_id="dbmid:heir")
        heir = place.seat("heir")
        candidate = place.candidate("eve")
        place.reclaim(candidate, by=ann)
        place.work()
        assert attempt_of(candidate).state == Attempt.CLOSED
        of_heir = factories.candidate(heir, rule=place.rule, reason="idle", status_at_opening="active")
        type(place.rule).objects.update(destination="connected_admin", destination_external_id="")
        place.reclaim(of_heir, by=ann)
        place.work()
        of_heir.refresh_from_db()
        assert of_heir.hold == "receiving" and place.team.members["dbmid:heir"].is_present


def test_a_restored_member_has_its_seat_again_and_is_left_alone(place: Any, ann: Any, time: Any) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    place.work()
    time.pass_by(days=2)
    restore.request(attempt_of(candidate), by=ann, now=timezone.now())
    place.work()
    attempt, seat = attempt_of(candidate), candidate.subscription
    seat.refresh_from_db()
    assert (attempt.state, attempt.restored_where, attempt.restored_by) == (Attempt.RESTORED, "here", ann)
    assert state_of(candidate) == State.CLOSED_SKIPPED
    assert seat.ended_at is None and seat.status == "active" and seat.restored_at
    assert seat.keep_until == timezone.localdate() + timedelta(days=90)
    assert [entry.kind for entry in SavingsEntry.objects.order_by("pk")] == ["freed", "restored"]
    assert sum(entry.quantity for entry in SavingsEntry.objects.all()) == 0
    time.pass_by(days=8)
    place.work()
    assert place.team.called("finish") == []


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda team: setattr(team, "licenses", 1), restore.NO_LICENSE),
        (lambda team: setattr(team.members["dbmid:eve"], "unrecoverable", True), restore.UNRECOVERABLE),
    ],
)
def test_a_refused_restoring_says_why_and_can_be_pressed_again(place: Any, ann: Any, spoil: Any, sentence: str) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    place.work()
    spoil(place.team)
    restore.request(attempt_of(candidate), by=ann, now=timezone.now())
    place.work()
    attempt = attempt_of(candidate)
    assert (attempt.state, attempt.error_message) == (Attempt.REMOVED, sentence)
    restore.request(attempt, by=ann, now=timezone.now())
    assert attempt.state == Attempt.RESTORING


def test_restored_in_the_vendors_console_nothing_is_moved(place: Any, ann: Any, time: Any) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    place.work()
    place.team.restore_by_hand("dbmid:eve")
    time.pass_by(days=7, minutes=1)
    place.work()
    attempt = attempt_of(candidate)
    assert (attempt.state, attempt.restored_where) == (Attempt.RESTORED, "vendor")
    assert place.team.called("finish") == []
    candidate.subscription.refresh_from_db()
    assert candidate.subscription.keep_until and state_of(candidate) == State.CLOSED_SKIPPED


def test_of_restore_and_move_in_the_same_minute_one_wins(place: Any, ann: Any, time: Any) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    place.work()
    time.pass_by(days=6, hours=23, minutes=59)
    seen = attempt_of(candidate)
    attempt = attempt_of(candidate)
    move.request_now(attempt, by=ann, now=timezone.now())
    place.work()
    with pytest.raises(restore.NotRestorable):
        restore.request(seen, by=ann, now=timezone.now())
    assert place.team.called("restore") == [] and place.team.called("finish") == ["dbmid:eve"]


def test_undo_days_0_hands_the_files_over_at_once(make_place: Any, ann: Any) -> None:
    place = make_place(undo_days=0)
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    place.work()
    attempt = attempt_of(candidate)
    (call,) = [one for one in place.team.calls if one.verb == "withdraw"]
    assert call.arguments == {"wipe": False, "destination": ADMIN, "transfer_admin": ADMIN}
    assert (attempt.state, attempt.restorable_until) == (Attempt.CLOSED, None)
    assert state_of(candidate) == State.CLOSED_COMPLETE


def test_an_invitation_is_removed_without_undo_and_without_files(place: Any, ann: Any) -> None:
    candidate = place.candidate("ivy", seat={"status": "invited"}, reason="invited")
    place.reclaim(candidate, by=ann)
    place.work()
    attempt = attempt_of(candidate)
    assert (attempt.state, attempt.moved_by, attempt.restorable_until) == (Attempt.CLOSED, "nothing_to_move", None)
    assert state_of(candidate) == State.CLOSED_COMPLETE
