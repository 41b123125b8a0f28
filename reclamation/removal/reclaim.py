"""Go on with the removals of one profile: the verb of the process *Reclaim subscriptions*.

1. Open attempts for candidates that could not have one so far.
2. Find out what became of calls: vendor's jobs, lost answers, restorings, moves of files.
3. First gate: everything approved at once.
4. For each that passed: the whole gate again, alone, then the one call within five seconds of its answers.
5. Poll the vendor's jobs that began.

Every attempt is taken with a lease of its own, so a worker that dies costs nothing, and a second run finds only what is
left. Three attempts in a row that need a person stop their batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from profiles.connectors import base
from profiles.jobs.job import Job, LeaseLost
from profiles.models import IntegrationProfile
from reclamation import attempts, workflow
from reclamation.models import RemovalAttempt, RemovalBatch
from reclamation.removal import (
    batches,
    call,
    decide,
    due,
    move,
    outcome,
    pass_gate,
    restore,
    settle,
    start,
    switch,
)
from reclamation.removal.gate.answers import (
    ATTENTION,
    CANCELED,
    ELSEWHERE,
    HOLD,
    QUARANTINE,
    SKIPPED,
    GateResult,
)
from reclamation.removal.gate.case import Case
from reclamation.removal.gate.stored import SLOT
from reclamation.removal.vendor import VendorAccess
from reclamation.states import State as CandidateState

State = RemovalAttempt.State
AT_ONCE = 200
IN_A_ROW = 3
HOLD_TIME = timedelta(hours=1)
SLOT_TIME = timedelta(minutes=2)
POLLS = 40
NOT_ASKED = "The vendor could not be asked, so it is tried again in a quarter of an hour."
STOPPED = "Three attempts in a row needed a person. Look at them, then let another administrator decide."
DRY_RUN = "Dry run: it passed the gate, and nothing was called."
COUNTERS = ("removed", "launched", "held", "closed", "human", "unknown", "settled", "moved", "restored", "dry")
STATE_COUNTERS: dict[str, str] = {
    State.REMOVED: "removed",
    State.CLOSED: "removed",
    State.JOB: "launched",
    State.NEEDS_HUMAN: "human",
    State.UNKNOWN: "unknown",
}


@dataclass
class Progress:
    """What this run has done, and how many attempts in a row needed a person."""

    job: Job
    profile: IntegrationProfile
    vendor: VendorAccess
    counters: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(COUNTERS, 0)))
    humans_in_a_row: int = 0
    done: int = 0

    def show(self, step: str) -> None:
        """Store how far the run is; raises `LeaseLost` or `Canceled`, so nothing else is called."""
        self.job.progress(items=self.done, counters=dict(self.counters), step=step)


def run(job: Job, *, now: datetime) -> None:
    """Go on with everything that is due. Raises a `base.ConnectorError` if the vendor cannot be asked."""
    profile = job.run.profile
    if profile is None:
        raise LeaseLost("The profile is gone.")
    switch.make_row(now)
    for candidate in start.waits_for_attempt():
        if candidate.profile_id == profile.pk:
            start.approve(candidate, now)
    settle.abandon_dead_calls()
    if not due.of_profile(profile, timezone.now()).exists():
        return
    due.forget_why(profile, timezone.now(), codes=(due.NOT_CONNECTED, due.VENDOR_DOWN))
    try:
        progress = Progress(job, profile, VendorAccess(job, profile))
        _settle_all(progress)
        _pass_first_gate(progress)
        _call_all(progress)
        _poll_all(progress)
    except base.ConnectorError as error:
        due.postpone(profile, now=timezone.now(), why=f"{NOT_ASKED} {error}")
        raise
    batches.end_done()
    progress.show("Done")


def _settle_all(progress: Progress) -> None:
    """Jobs, lost answers, restorings, moves, and looks that a person asked for."""
    vendor, run = progress.vendor, progress.job.run
    steps: tuple[tuple[str, str, Callable[[RemovalAttempt], None]], ...] = (
        (State.JOB, "settled", lambda one: settle.poll_job(one, vendor, run)),
        (State.UNKNOWN, "settled", lambda one: settle.look_at_unknown(one, vendor, run)),
        (State.RESTORING, "restored", lambda one: restore.run(one, vendor)),
        (State.MOVING, "moved", lambda one: move.follow(one, vendor, run)),
        (State.REMOVED, "moved", lambda one: move.start(one, vendor, run)),
        (State.NEEDS_HUMAN, "settled", lambda one: decide.look(one, vendor)),
    )
    for state, counter, step in steps:
        for pk in due.keys(progress.profile, state, timezone.now()):
            progress.show("Finding out what became of calls")
            if _guarded(pk, state, step):
                progress.counters[counter] += 1
                progress.done += 1
    for one in due.of_profile(progress.profile, timezone.now()).filter(state__in=attempts.UNSENT).exclude(looks=[]):
        if decide.is_look_wanted(one):
            progress.counters["settled"] += _guarded(one.pk, one.state, lambda found: decide.look(found, vendor))
    move.correct_moved_by(progress.profile, vendor, now=timezone.now())


def _guarded(pk: int, state: str, step: Callable[[RemovalAttempt], None]) -> bool:
    """Take one attempt and do one step with it. False where somebody else has it."""
    attempt = attempts.take(pk, state, now=timezone.now())
    if attempt is None:
        return False
    try:
        step(attempt)
    except attempts.Lost:
        return False
    return True


def _pass_first_gate(progress: Progress) -> None:
    """Ask the gate about all approved attempts at once, in portions that one question to the vendor can bear."""
    while keys := due.keys(progress.profile, State.APPROVED, timezone.now())[:AT_ONCE]:
        progress.show("Checking the whole batch")
        now = timezone.now()
        taken = [one for pk in keys if (one := attempts.take(pk, State.APPROVED, now=now))]
        if not taken:
            return
        for case, found in _ask_gate(progress, taken, now):
            _store_first(progress, case, found)


def _ask_gate(progress: Progress, taken: Sequence[RemovalAttempt], now: datetime) -> list[tuple[Case, GateResult]]:
    """The gate's answers. If the vendor cannot be asked, the attempts are given back."""
    try:
        return pass_gate.run(taken, progress.profile, progress.vendor, now=now)
    except base.ConnectorError:
        for attempt in taken:
            _give_back(attempt)
        raise


def _give_back(attempt: RemovalAttempt) -> None:
    try:
        attempts.release(attempt)
    except attempts.Lost:
        return


def _store_first(progress: Progress, case: Case, found: GateResult) -> None:
    attempt = case.attempt
    try:
        if found.is_pass:
            attempts.move(attempt, State.GATED, gate_at_approval=list(found.answers), not_before=None)
        else:
            attempts.note(attempt, gate_at_approval=list(found.answers))
            _end(progress, case, found)
    except attempts.Lost:
        return


def _call_all(progress: Progress) -> None:
    """Each attempt alone: the gate again, then the call."""
    for pk in due.keys(progress.profile, State.GATED, timezone.now()):
        progress.show("Removing")
        attempt = attempts.take(pk, State.GATED, now=timezone.now())
        if attempt is None:
            continue
        try:
            _gate_and_call(progress, attempt)
        except attempts.Lost:
            continue
        progress.done += 1
        _stop_after_three(progress, attempt)


def _gate_and_call(progress: Progress, attempt: RemovalAttempt) -> None:
    ((case, found),) = _ask_gate(progress, [attempt], timezone.now())
    if not found.is_pass:
        attempts.note(attempt, gate_at_call=list(found.answers))
        _end(progress, case, found)
        return
    if attempt.dry_run:
        _end_dry_run(progress, attempt, found, passed=True)
        return
    try:
        call.run(case, found, progress.vendor, progress.job.run)
    except call.Stopped as reason:
        _hold(progress, attempt, code=switch.CODE, text=str(reason), pause=timedelta(minutes=1))
        return
    progress.counters[STATE_COUNTERS.get(attempt.state, "held")] += 1


def _end(progress: Progress, case: Case, found: GateResult) -> None:
    """What becomes of an attempt that did not pass. Raises `attempts.Lost`."""
    attempt, now = case.attempt, timezone.now()
    if attempt.dry_run:
        _end_dry_run(progress, attempt, found, passed=False)
    elif found.end == HOLD:
        pause = SLOT_TIME if found.guard == SLOT else HOLD_TIME
        _hold(progress, attempt, code=found.guard, text=found.text, pause=pause)
    elif found.end == QUARANTINE:
        if attempt.batch:
            batches.quarantine(attempt.batch, reason=found.text, now=now)
        _hold(progress, attempt, code=found.guard, text=found.text, pause=HOLD_TIME)
    elif found.end == ATTENTION:
        call.need_human(attempt, base.Refused(found.text, remedy="Look at it, then decide."), now)
        progress.counters["human"] += 1
    elif found.end == ELSEWHERE:
        _record_gone(progress, attempt, case, now)
    else:
        _close(progress, attempt, found, now)


def _record_gone(progress: Progress, attempt: RemovalAttempt, case: Case, now: datetime) -> None:
    """Removed already: by a call of ours whose answer was lost, or by somebody else."""
    progress.counters["closed"] += 1
    if attempt.intent_at and case.asked:
        undoable = case.asked.look.undoable
        outcome.record_removed(attempt, run=progress.job.run, at=now, undoable=undoable)
    else:
        outcome.record_elsewhere(attempt, run=progress.job.run, at=now)


def _close(progress: Progress, attempt: RemovalAttempt, found: GateResult, now: datetime) -> None:
    """A fact forbids the removal for good: the attempt is canceled, and the candidate says why."""
    to = {CANCELED: CandidateState.CLOSED_CANCELED, SKIPPED: CandidateState.CLOSED_SKIPPED}[found.end]
    with transaction.atomic():
        attempts.move(attempt, State.CANCELED, closed_at=now, error_message=found.text)
        workflow.close(attempt.candidate, to, reason=found.text, by=None, now=now)
    progress.counters["closed"] += 1


def _hold(progress: Progress, attempt: RemovalAttempt, *, code: str, text: str, pause: timedelta) -> None:
    """Wait, and say for what. Raises `attempts.Lost`."""
    attempts.release(attempt, not_before=timezone.now() + pause)
    workflow.hold(attempt.candidate, code=code, text=text)
    progress.counters["held"] += 1


def _end_dry_run(progress: Progress, attempt: RemovalAttempt, found: GateResult, *, passed: bool) -> None:
    """The decision of a dry run is stored like a real one, and nothing is called."""
    now = timezone.now()
    text = DRY_RUN if passed else found.text
    values: dict[str, Any] = {"closed_at": now, "error_message": text}
    if passed:
        values["gate_at_call"] = list(found.answers)
    attempts.move(attempt, State.CLOSED if passed else State.CANCELED, **values)
    progress.counters["dry"] += 1


def _stop_after_three(progress: Progress, attempt: RemovalAttempt) -> None:
    """Three attempts in a row that need a person stop every batch of the profile that goes on."""
    progress.humans_in_a_row = progress.humans_in_a_row + 1 if attempt.state == State.NEEDS_HUMAN else 0
    if progress.humans_in_a_row < IN_A_ROW:
        return
    progress.humans_in_a_row = 0
    going = RemovalBatch.objects.filter(Q(state=RemovalBatch.State.OPEN) | Q(state=RemovalBatch.State.APPROVED))
    for batch in _with_open_attempts(going.filter(dry_run=False), progress.profile):
        batches.quarantine(batch, reason=STOPPED, now=timezone.now())
    progress.job.warn(STOPPED)


def _with_open_attempts(going: QuerySet[RemovalBatch], profile: IntegrationProfile) -> QuerySet[RemovalBatch]:
    return going.filter(attempts__profile=profile, attempts__closed_at=None).distinct()


def _poll_all(progress: Progress) -> None:
    """Wait a while for the vendor's jobs; what lasts longer is found by a later run."""
    jobs = RemovalAttempt.objects.filter(profile=progress.profile, state=State.JOB)
    for _ in range(POLLS):
        if not jobs.exists():
            return
        progress.job.wait(call.FIRST_POLL.total_seconds(), "Waiting for the vendor’s jobs")
        for pk in due.keys(progress.profile, State.JOB, timezone.now()):
            _guarded(pk, State.JOB, lambda one: settle.poll_job(one, progress.vendor, progress.job.run))
