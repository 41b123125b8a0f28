"""Every way in which Dropbox refuses an effect, as its connector hands it on: the right state, and no call twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from dropbox import team as documented

from reclamation.models import RemovalAttempt
from reclamation.removal import move, restore
from reclamation.states import State
from tests.reclamation.removal.place import attempt_of, state_of
from tests.reclamation.removal.stand_in import answered, refused

pytestmark = pytest.mark.one_database

Attempt = RemovalAttempt.State
WAIT = {"transfer_in_progress", "member_is_transfer_destination", "user_data_is_being_transferred"}
LOOK_AGAIN = {"user_not_removed"}
NEW = {"a_tag_of_next_year"}
UNREADABLE_CALL = b'Error in call to API function "team/members/remove": request body: user: not a UserSelectorArg'
NO_SCOPE = b'{"error_summary":"missing_scope/.","error":{".tag":"missing_scope","required_scope":"members.write"}}'
FOR_A_PERSON = {
    "a call that Dropbox cannot read": (400, UNREADABLE_CALL),
    "a scope that is missing": (401, NO_SCOPE),
    "no permission": (403, b'{"error_summary":"no_permission/.","error":{".tag":"no_permission"}}'),
}


def tags_of(union: Any) -> list[str]:
    return sorted(set(union._tagmap) | NEW)


@pytest.fixture
def removed(place: Any, ann: Any) -> Any:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    place.work()
    return candidate


def assert_a_person_has_to_decide(candidate: Any) -> None:
    assert (state_of(candidate), attempt_of(candidate).state) == (State.ATTENTION_REQUIRED, Attempt.NEEDS_HUMAN)


class TestRemove:
    @pytest.mark.parametrize("tag", tags_of(documented.MembersRemoveError))
    def test_a_tag_waits_for_the_transfer_or_for_a_person_and_is_never_looked_into_as_a_lost_answer(
        self, place: Any, ann: Any, time: Any, tag: str
    ) -> None:
        candidate = place.candidate("eve")
        place.team.arm("withdraw", refused(tag))
        place.reclaim(candidate, by=ann)
        place.work()
        if tag in WAIT:
            assert attempt_of(candidate).state == Attempt.GATED and attempt_of(candidate).not_before
            return
        assert_a_person_has_to_decide(candidate)
        time.pass_by(hours=2)
        place.work()
        assert place.team.called("withdraw") == ["dbmid:eve"] and place.team.effects == []

    @pytest.mark.parametrize("answer", FOR_A_PERSON)
    def test_what_only_a_person_can_mend_goes_to_one(self, place: Any, ann: Any, answer: str) -> None:
        candidate = place.candidate("eve")
        place.team.arm("withdraw", answered(*FOR_A_PERSON[answer]))
        place.reclaim(candidate, by=ann)
        place.work()
        assert_a_person_has_to_decide(candidate)


class TestMove:
    def let_move(self, place: Any, candidate: Any, ann: Any, error: Exception) -> None:
        place.team.arm("finish", error)
        move.request_now(attempt_of(candidate), by=ann, now=timezone.now())
        place.work()

    @pytest.mark.parametrize("tag", tags_of(documented.MembersTransferFormerMembersFilesError))
    def test_a_tag_opens_the_slot_of_the_destination_at_once(
        self, place: Any, removed: Any, ann: Any, tag: str
    ) -> None:
        self.let_move(place, removed, ann, refused(tag))
        if tag in WAIT | LOOK_AGAIN:
            assert attempt_of(removed).state == Attempt.REMOVED and attempt_of(removed).not_before > timezone.now()
        else:
            assert_a_person_has_to_decide(removed)
        assert place.team.members["dbmid:eve"].files_at == "dbmid:eve"

    @pytest.mark.parametrize("answer", FOR_A_PERSON)
    def test_what_only_a_person_can_mend_goes_to_one_and_opens_the_slot(
        self, place: Any, removed: Any, ann: Any, answer: str
    ) -> None:
        self.let_move(place, removed, ann, answered(*FOR_A_PERSON[answer]))
        assert_a_person_has_to_decide(removed)


class TestRestore:
    ERRORS = [
        *(refused(tag) for tag in tags_of(documented.MembersRecoverError)),
        *(answered(*answer) for answer in FOR_A_PERSON.values()),
    ]

    @pytest.mark.parametrize("error", ERRORS, ids=str)
    def test_a_refusal_leaves_it_removed_at_once_and_the_button_works_again(
        self, place: Any, removed: Any, ann: Any, time: Any, error: Exception
    ) -> None:
        place.team.arm("restore", error)
        restore.request(attempt_of(removed), by=ann, now=timezone.now())
        place.work()
        attempt = attempt_of(removed)
        assert attempt.state == Attempt.REMOVED and "did not answer" not in attempt.error_message
        time.pass_by(minutes=1)
        restore.request(attempt, by=ann, now=timezone.now())
        place.work()
        assert attempt_of(removed).state == Attempt.RESTORED
        assert timezone.now() - attempt_of(removed).restored_at < timedelta(minutes=1)
