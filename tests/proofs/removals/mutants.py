"""The product with one guard taken out, each by a patch. Every one of them has to be caught by a story.

`MUTANTS` has, by name, a function that applies the patch with a `pytest.MonkeyPatch`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from profiles.connectors import base
from reclamation import attempts, workflow
from reclamation.asking import approvers, notices, standing, sweep as asking_sweep
from reclamation.models import RemovalAttempt
from reclamation.removal import (
    batches,
    call,
    due,
    limits,
    move,
    outcome,
    pass_gate,
    reclaim,
    refusals,
    settle,
    vendor,
)
from reclamation.removal.gate import answers, connection, member, stored
from reclamation.removal.vendor import VendorAccess

State = RemovalAttempt.State
Patch = pytest.MonkeyPatch


def _pass_guard(patch: Patch, module: Any, code: str) -> None:
    """A guard that always passes."""
    always = answers.passed("Mutant")
    found = tuple(
        answers.GateGuard(guard.code, guard.label, lambda case: always) if guard.code == code else guard
        for guard in module
    )
    owner, name = next(
        (m, n) for m, n in ((stored, "GUARDS"), (member, "GUARDS"), (connection, "STORED")) if getattr(m, n) is module
    )
    patch.setattr(owner, name, found)


def activity_is_not_asked(patch: Patch) -> None:
    """The gate ignores use: neither what is stored nor what the log says stands in the way."""
    _pass_guard(patch, member.GUARDS, "still_idle")
    _pass_guard(patch, stored.GUARDS, "used_before")


def role_is_not_asked(patch: Patch) -> None:
    _pass_guard(patch, member.GUARDS, "role")


def exemptions_are_not_asked(patch: Patch) -> None:
    _pass_guard(patch, stored.GUARDS, "exempt")


def came_back_is_not_asked(patch: Patch) -> None:
    """Who was restored after a call whose answer was lost is called about again."""
    _pass_guard(patch, member.GUARDS, "came_back")
    patch.setattr(VendorAccess, "_ask_who_came_back", lambda *given: set())
    real = settle.outcome.record_came_back
    patch.setattr(settle, "_joined_since", lambda *given: False)

    def try_again(attempt: RemovalAttempt, *, at: Any) -> None:
        settle._try_again(attempt, at)

    assert real
    patch.setattr(settle.outcome, "record_came_back", try_again)


def switch_is_not_read(patch: Patch) -> None:
    _pass_guard(patch, connection.STORED, "switch")
    patch.setattr(call.switch, "paused_because", lambda *given, **more: "")


def second_gate_is_left_out(patch: Patch) -> None:
    """What the first gate saw is acted on, however long ago that was."""
    remembered: dict[int, Any] = {}
    real = pass_gate.run

    def run(taken: Any, profile: Any, vendor: Any, *, now: Any) -> Any:
        found = []
        for attempt in taken:
            known = remembered.get(attempt.pk)
            if known is None or attempt.state == State.APPROVED:
                ((case, result),) = real([attempt], profile, vendor, now=now)
                remembered[attempt.pk] = (case.asked, result)
                found.append((case, result))
            else:
                from dataclasses import replace  # noqa: PLC0415 - of the mutant only

                (case,) = pass_gate.load([attempt], profile, now=now)
                found.append((replace(case, asked=known[0]), known[1]))
        return found

    patch.setattr(reclaim.pass_gate, "run", run)
    patch.setattr(call, "is_fresh", lambda *given: True)


def old_answers_are_acted_on(patch: Patch) -> None:
    patch.setattr(call, "is_fresh", lambda *given: True)


def lost_answer_means_removed(patch: Patch) -> None:
    real = call.store_failure

    def store(attempt: RemovalAttempt, error: base.ConnectorError, vendor: Any, run: Any) -> None:
        if isinstance(error, base.AnswerLost):
            outcome.record_removed(attempt, run=run, at=timezone.now())
        else:
            real(attempt, error, vendor, run)

    patch.setattr(call, "store_failure", store)


def lost_answer_means_nothing_happened(patch: Patch) -> None:
    real = call.store_failure

    def store(attempt: RemovalAttempt, error: base.ConnectorError, vendor: Any, run: Any) -> None:
        if isinstance(error, base.AnswerLost):
            call.put_off(attempt, error, timezone.now(), timedelta(minutes=2))
        else:
            real(attempt, error, vendor, run)

    patch.setattr(call, "store_failure", store)


def no_quarantine_before_the_looks(patch: Patch) -> None:
    patch.setattr(call, "QUARANTINE", timedelta(seconds=1))
    patch.setattr(settle, "BETWEEN_LOOKS", timedelta(seconds=1))


def one_look_is_enough(patch: Patch) -> None:
    patch.setattr(settle, "_looks_since_call", lambda attempt: [{}, {}])


def intent_is_not_committed_first(patch: Patch) -> None:
    """The attempt is still *checked* while the call goes out."""
    real_commit, real_move = call._commit_intent, attempts.move

    def commit(case: Any, passed: Any) -> None:
        def skip(attempt: RemovalAttempt, to: str, *, keep: bool = False, **changes: Any) -> None:
            if to == State.CALLING:
                attempt.state = State.CALLING
                attempt.intent_at = changes["intent_at"]
                return
            real_move(attempt, to, keep=keep, **changes)

        attempts.move = skip
        try:
            real_commit(case, passed)
        finally:
            attempts.move = real_move

    real_write = attempts._write

    def write(attempt: RemovalAttempt, **changes: Any) -> None:
        if attempt.state == State.CALLING:
            stored_state = RemovalAttempt.objects.filter(pk=attempt.pk, state=State.GATED)
            stored_state.update(state=State.CALLING, intent_at=attempt.intent_at, called_at=attempt.intent_at)
        real_write(attempt, **changes)

    patch.setattr(call, "_commit_intent", commit)
    patch.setattr(attempts, "_write", write)


def dead_calls_are_sent_again(patch: Patch) -> None:
    """A call whose worker is gone goes through the gate again, without any look."""

    def abandon() -> int:
        dead = RemovalAttempt.objects.filter(state=State.CALLING)
        for pk in dead.values_list("pk", flat=True):
            if attempt := attempts.take(pk, State.CALLING, now=timezone.now()):
                attempts.move(attempt, State.GATED)
        return 0

    patch.setattr(settle, "abandon_dead_calls", abandon)


def no_fence_and_no_freshness(patch: Patch) -> None:
    """Writes do not ask whose attempt it is, and old answers are acted on."""

    def write(attempt: RemovalAttempt, **changes: Any) -> None:
        RemovalAttempt.objects.filter(pk=attempt.pk, closed_at=None).update(**changes)
        attempts._remember(attempt, changes)

    patch.setattr(attempts, "_write", write)
    patch.setattr(call, "is_fresh", lambda *given: True)


def limits_are_not_counted(patch: Patch) -> None:
    unlimited = limits.Figures(licenses=1000, quota=1000, ceiling=1000, day=0, week=0)
    patch.setattr(limits, "figures_for", lambda profile, *, now: unlimited)


def lost_calls_are_not_counted(patch: Patch) -> None:
    """A call after which the member is seen as it was never happened."""
    real = settle._try_again

    def forget(attempt: RemovalAttempt, now: Any) -> None:
        real(attempt, now)
        attempts.seize_in_place(attempt, called_at=None)

    patch.setattr(settle, "_try_again", forget)


def second_profile_is_another_team(patch: Patch) -> None:
    """Seats, candidates and ledger of a second profile of the team are forgotten."""
    patch.setattr(limits, "profiles_of_team", lambda profile: [profile])


def moves_without_a_look(patch: Patch) -> None:
    """Whoever was restored at the vendor has the files moved all the same, or its attempt never learns of it."""
    patch.setattr(move, "check_restored", lambda *given: False)
    real = VendorAccess.look

    def look(self: Any, external_ids: Any) -> Any:
        found = real(self, external_ids)
        return {
            key: base.Look(external_id=key, state="withdrawn", seat=one.seat)
            if one.state == "present" and key not in ("dbmid:admin",) and self.__dict__.get("moving")
            else one
            for key, one in found.items()
        }

    real_start = move.start

    def start(attempt: RemovalAttempt, vendor: Any, run: Any) -> None:
        vendor.moving = True
        try:
            real_start(attempt, vendor, run)
        finally:
            vendor.moving = False

    patch.setattr(VendorAccess, "look", look)
    patch.setattr(reclaim.move, "start", start)


def lost_transfer_is_sent_again(patch: Patch) -> None:
    real = move._wait_or_give_up

    def again(attempt: RemovalAttempt, now: Any) -> None:
        if attempt.move_job_id:
            real(attempt, now)
            return
        attempts.move(attempt, State.REMOVED, move_called_at=None)

    patch.setattr(move, "_wait_or_give_up", again)


def a_skip_does_not_end_the_attempt(patch: Patch) -> None:
    """Somebody closes a candidate, and its removal goes on."""
    patch.setattr(workflow, "_end_attempts", lambda *given: None)


def gone_means_removed_by_us(patch: Patch) -> None:
    """A refusal that says *not in the team* is believed without a look."""
    patch.setattr(refusals, "meaning_of", lambda error: refusals.GONE)
    patch.setattr(call, "_is_gone", lambda *given: True)


def late_work_is_not_asked_about(patch: Patch) -> None:
    """The vendor's job that still works is forgotten, and the member is called about again."""
    patch.setattr(settle, "_still_works", lambda *given: False)


def restored_seats_stay_ended(patch: Patch) -> None:
    patch.setattr(outcome, "_team", lambda attempt: [])


def removed_is_never_finished(patch: Patch) -> None:
    """Undo windows end, and nobody moves the files."""
    real = due.attempts_due
    patch.setattr(due, "attempts_due", lambda now: real(now).exclude(state=State.REMOVED))


def unsent_mails_count_as_silence(patch: Patch) -> None:
    """A question that no mail server took is as good as one that arrived."""
    patch.setattr(notices, "reached", lambda: Q())


def notice_is_not_waited_for(patch: Patch) -> None:
    """The time to answer is over as soon as the mail has left."""
    _pass_guard(patch, stored.GUARDS, "notice")
    patch.setattr(asking_sweep.office_hours, "end_of_day", lambda day: timezone.now())


def silence_of_another_person_counts(patch: Patch) -> None:
    patch.setattr(standing, "is_another_person", lambda *given: False)


def changed_addresses_are_not_seen(patch: Patch) -> None:
    patch.setattr(standing, "address_changed", lambda *given: False)


def keeping_is_not_asked(patch: Patch) -> None:
    """What a user or an approver keeps for one profile of the team is removed through the other."""
    _pass_guard(patch, stored.GUARDS, "keep")
    patch.setattr(asking_sweep, "keeps_elsewhere", lambda candidate: False)
    patch.setattr(standing, "KEPT", "")


def requesters_approve_their_own(patch: Patch) -> None:
    """Who pressed Reclaim may say yes as the approver."""
    patch.setattr(approvers, "requesters", lambda candidate: set())


def second_person_is_not_needed(patch: Patch) -> None:
    _pass_guard(patch, stored.GUARDS, "second_person")
    patch.setattr(batches, "needs_second_person", lambda *given: False)
    patch.setattr(batches, "is_stopped", lambda attempt: False)


def looks_are_ordered_by_clocks(patch: Patch) -> None:
    """A look before a call counts as one after it, where the clock of the caller was behind."""
    patch.setattr(settle, "_mark_of_call", lambda attempt: "")


def clocks_never_differ(patch: Patch) -> None:
    """Who came back is asked since our call, by a clock that may be ahead of the vendor's."""
    patch.setattr(vendor, "CLOCKS_DIFFER", timedelta(0))


MUTANTS: dict[str, Callable[[Patch], None]] = {
    mutant.__name__: mutant
    for mutant in (
        activity_is_not_asked,
        role_is_not_asked,
        exemptions_are_not_asked,
        came_back_is_not_asked,
        switch_is_not_read,
        second_gate_is_left_out,
        old_answers_are_acted_on,
        lost_answer_means_removed,
        lost_answer_means_nothing_happened,
        no_quarantine_before_the_looks,
        one_look_is_enough,
        intent_is_not_committed_first,
        dead_calls_are_sent_again,
        no_fence_and_no_freshness,
        limits_are_not_counted,
        lost_calls_are_not_counted,
        second_profile_is_another_team,
        moves_without_a_look,
        lost_transfer_is_sent_again,
        a_skip_does_not_end_the_attempt,
        gone_means_removed_by_us,
        late_work_is_not_asked_about,
        restored_seats_stay_ended,
        removed_is_never_finished,
        unsent_mails_count_as_silence,
        notice_is_not_waited_for,
        silence_of_another_person_counts,
        changed_addresses_are_not_seen,
        keeping_is_not_asked,
        requesters_approve_their_own,
        second_person_is_not_needed,
        looks_are_ordered_by_clocks,
        clocks_never_differ,
    )
}
