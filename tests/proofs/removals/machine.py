"""The machine of a story: a worker's turn. It crashes or freezes at a write or a call, or the vendor is in trouble.

Everything that is random comes from the seed, so a story that fails can be played again by its number.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from profiles.connectors import base
from profiles.jobs import execute, queue
from profiles.models import JobRun
from reclamation import attempts, workflow
from reclamation.models import RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.removal import reclaim
from reclamation.states import State
from samsaas import outbox
from tests.proofs.removals import consent
from tests.proofs.removals.post import FAULTS
from tests.proofs.removals.world import LICENSES, World
from tests.reclamation.removal.stand_in import refused

Attempt = RemovalAttempt.State
# A worker that froze between the last question whether its answers are fresh and the call cannot be stopped by anybody.
EFFECTS = ("withdraw", "restore", "finish")
MINUTES_LATE = 25
MOMENT = timedelta(milliseconds=20)  # for a call or a write


class Crash(BaseException):
    """The worker dies here."""


class Machine:
    """The part of a story that works. `meanwhile` does something else while a worker stands still."""

    def __init__(self, seed: int, world: World, time: Any) -> None:
        self.seed, self.world, self.time = seed, world, time
        self.rng, self.watch, self.post = world.rng, world.watch, world.post
        self.crash_in = self.freeze_in = 0
        self.faults_on = True
        self.depth = 0
        self.errors: list[str] = []
        self.outermost = len(connection.savepoint_ids)
        team = world.team
        team.before_call, team.before_effect, team.after_effect = self._at_call, self._at_effect, self._at_write
        team.in_flight = self._in_flight
        self.post.at_mail = self._at_mail

    def meanwhile(self) -> None:
        raise NotImplementedError

    def pass_time(self, time: timedelta) -> None:
        self.time.pass_by(seconds=time.total_seconds())

    # --- what the vendor and the mail server tell ------------------------------------------------------------------

    def _at_call(self, verb: str, member: str) -> None:
        self.pass_time(MOMENT)
        self._maybe("call", f"{verb} {member}")
        if verb in ("look", "recent", "returned"):
            self.watch.note_call(verb, member)

    def _at_effect(self, verb: str, member: str) -> None:
        fault = (self.world.team.faults.get(verb) or [None])[0]
        self.watch.happens(f"  {verb} {member} {fault or ''}")
        if fault is not None:
            self.watch.counters["faults of the vendor"] += 1
        clean = isinstance(fault, BaseException)  # the vendor refuses, and nothing happens
        if verb == "withdraw":
            attempt = RemovalAttempt.objects.filter(external_id=member, state=Attempt.CALLING).first()
            self.watch.check_withdraw(member, counts=not clean, most=self._most_calls(attempt))
            if problem := consent.problem(self.world, attempt):
                self.watch.fail("calls without consent", f"{member}: {problem}")
        elif verb == "finish" and not clean:
            self.watch.check_transfer(member)

    def _most_calls(self, attempt: RemovalAttempt | None) -> int:
        """The quota, or the ceiling where a second person let the batch of this member's attempt go on."""
        approved = attempt and attempt.batch and attempt.batch.state == RemovalBatch.State.APPROVED
        return LICENSES // 5 if approved else self.world.quota

    def _in_flight(self, verb: str, member: str) -> tuple[BaseException, timedelta | None] | None:
        """The worker may die while its call is on its way; the call then has its effect later, or never."""
        if not self.faults_on or self.rng.random() > 0.05:
            return None
        after = timedelta(minutes=self.rng.uniform(0, MINUTES_LATE)) if self.rng.random() < 0.5 else None
        self.watch.happens(f"  dies in the middle of {verb} {member}, effect after {after}")
        return Crash(), after

    def _at_write(self, *where: str) -> None:
        self.pass_time(MOMENT)
        self._maybe("write", " ".join(where))

    def _at_mail(self, when: str, to: str) -> None:
        self.watch.happens(f"  {when} the delivery to {to}")
        self._maybe("mail", f"{when} {to}")

    # --- dying and standing still ----------------------------------------------------------------------------------

    def _maybe(self, kind: str, where: str) -> None:
        """The worker may die or freeze here."""
        if not self.faults_on:
            return
        if self.crash_in:
            self.crash_in -= 1
            if not self.crash_in:
                self.watch.happens(f"  crash at {kind} {where}")
                self.world.team.faults.clear()
                raise Crash
        if self.freeze_in and not where.startswith(EFFECTS):
            self.freeze_in -= 1
            if not self.freeze_in:
                self._freeze(kind, where)

    def _freeze(self, kind: str, where: str) -> None:
        """The worker stands still; others go on meanwhile. It may have lost its lease when it wakes.

        Inside a transaction it only loses time: what others did would be undone together with that transaction.
        """
        self.watch.happens(f"  freeze at {kind} {where}")
        self.watch.counters["freezes"] += 1
        self.pass_time(timedelta(seconds=self.rng.choice((2, 8, 90, 400, 2400))))
        if self.rng.random() < 0.7 and self.depth < 1 and len(connection.savepoint_ids) == self.outermost:
            self.depth += 1
            self.meanwhile()
            self.depth -= 1

    def arm_worker(self) -> None:
        """Let the next worker die or freeze somewhere, or neither."""
        if self.faults_on:
            kind = self.rng.random()
            at = self.rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 13))
            self.crash_in = at if kind < 0.4 else 0
            self.freeze_in = at if 0.4 <= kind < 0.75 else 0

    def disarm_worker(self) -> None:
        self.crash_in = self.freeze_in = 0

    def arm_vendor(self) -> None:
        """Let the vendor refuse, lose answers, or be late."""
        late = ("late", timedelta(minutes=self.rng.uniform(0, MINUTES_LATE)))
        effects = ("lost before", "lost after", late, "job", "broken job", "endless job", None, None, None)
        errors: tuple[BaseException, ...] = (
            base.Throttled("Wait", retry_after=60),
            base.TryLater("Down"),
            refused(self.rng.choice(("transfer_in_progress", "remove_last_admin", "team_license_limit", "odd_tag"))),
            base.UnreadableAnswer("Half an answer"),
        )
        for verb in EFFECTS:
            fault = self.rng.choice(effects) if self.rng.random() < 0.5 else self.rng.choice((None, *errors))
            if isinstance(fault, base.UnreadableAnswer):
                fault = self.rng.choice(("lost before", "lost after"))
            if fault is not None and self.rng.random() < 0.6:
                self.world.team.faults[verb] = [fault]
        if self.rng.random() < 0.15:
            self.world.team.faults[self.rng.choice(("look", "recent", "team", "ask"))] = [base.TryLater("Down")]

    def arm_post(self) -> None:
        """Let the mail server refuse, defer, be gone, or lose its answer."""
        if self.faults_on and self.rng.random() < 0.4:
            self.post.fault = self.rng.choice(FAULTS)
            self.watch.counters["faults of the mail server"] += 1

    # --- a turn ----------------------------------------------------------------------------------------------------

    def work(self, profile: Any) -> None:
        """Claim a run of the profile and execute the verb, as a worker does. Without anything to do there is none."""
        if not self._has_work(profile):
            return
        queue._recover_lost()
        queue.start_waiting()
        run, _ = queue.request(queue.Request(base.RECLAIM, JobRun.Trigger.SCHEDULE, profile=profile))
        job = execute.claim(run.pk) if run else None
        if job is None:
            return
        self.watch.happens(f"work of {profile}")
        self.watch.counters["runs"] += 1
        job.wait = lambda seconds, reason: self.pass_time(timedelta(seconds=seconds))  # type: ignore[method-assign]
        try:
            execute._call_verb(job, self._verb, timezone.now())
        except Crash:
            self.watch.counters["crashes"] += 1
        unexpected = JobRun.objects.filter(pk=job.run.pk, error_kind__in=("Unexpected", "DatabaseFailed"))
        if unexpected.exists():
            self.watch.fail("an error of our own", str(self.errors[-1:] or "no text"))

    def _has_work(self, profile: Any) -> bool:
        open_ones = RemovalAttempt.objects.filter(profile=profile, closed_at=None)
        waits = RemovalCandidate.objects.filter(profile=profile, state=State.AWAITING_REVOCATION)
        return open_ones.exclude(state=Attempt.NEEDS_HUMAN).exists() or waits.exists()

    def _verb(self, job: Any, *, now: Any) -> None:
        """The verb; what it raises of its own is kept for the story."""
        try:
            reclaim.run(job, now=now)
        except Exception:
            self.errors.append(traceback.format_exc())
            raise


class hooked_writes:
    """Let a worker die right before any write of an attempt, any move of a candidate, and any note on a mail."""

    PLACES: tuple[tuple[Any, str], ...] = ((attempts, "_write"), (workflow, "_move_to"), (outbox, "_settle"))

    def __init__(self, hook: Callable[..., None]) -> None:
        self.hook = hook
        self.real = [getattr(module, name) for module, name in self.PLACES]

    def __enter__(self) -> None:
        for (module, name), real in zip(self.PLACES, self.real, strict=True):
            setattr(module, name, self._hooked(name, real))

    def _hooked(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def write(row: Any, *given: Any, **changes: Any) -> Any:
            self.hook(name, str(row), str(changes.get("state", "")))
            return real(row, *given, **changes)

        return write

    def __exit__(self, *given: Any) -> None:
        for (module, name), real in zip(self.PLACES, self.real, strict=True):
            setattr(module, name, real)
