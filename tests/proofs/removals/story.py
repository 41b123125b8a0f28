"""One story: a random world, random steps with random faults, then calm until nothing is left to do.

Everything that is random comes from the seed, so a story that fails can be played again by its number. Workers crash at
any write and at any call, freeze in the middle while another one works, and lose answers before or after the effect.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from profiles.connectors import base
from profiles.jobs import execute, queue
from profiles.models import JobRun
from reclamation import attempts, workflow
from reclamation.models import Exemption, RemovalAttempt, RemovalBatch, RemovalCandidate, SavingsEntry
from reclamation.removal import batches, move, reclaim, restore, switch
from reclamation.states import State
from subscriptions.models import Subscription
from tests.proofs.removals.world import World
from tests.reclamation.removal.place import ADMIN, TICKS
from tests.reclamation.removal.stand_in import refused

Attempt = RemovalAttempt.State
STEPS = 18
EFFECTS = ("withdraw", "restore", "finish")
CALM_DAYS = 45


class Crash(BaseException):
    """The worker dies here."""


class Story:
    """One world played to its end."""

    def __init__(self, seed: int, world: World, time: Any, *, mutant: str = "") -> None:
        self.seed, self.world, self.time = seed, world, time
        self.rng, self.watch = world.rng, world.watch
        self.crash_in = self.freeze_in = 0
        self.faults_on = True
        self.depth = 0
        self.errors: list[str] = []
        team = world.team
        team.before_call, team.before_effect, team.after_effect = self._at_call, self._at_effect, self._at_write
        self.mutant = mutant

    # --- the machine ---------------------------------------------------------------------------------------------

    def play(self) -> dict[str, int]:
        """Play the story. Raises `Broken`."""
        with _hooked_writes(self._at_write):
            for _ in range(STEPS):
                self.rng.choice(STEPS_AND_WEIGHTS)(self)
            self._check_stored()
            self.faults_on = False
            self._calm_down()
        self._check_end()
        return dict(self.watch.counters)

    def pass_time(self, time: timedelta) -> None:
        self.time.pass_by(seconds=time.total_seconds())

    def _at_call(self, verb: str, member: str) -> None:
        self._maybe("call", f"{verb} {member}")
        if verb in ("look", "recent"):
            self.watch.note_call(verb, member)

    def _at_effect(self, verb: str, member: str) -> None:
        fault = (self.world.team.faults.get(verb) or [None])[0]
        self.watch.happens(f"  {verb} {member} {fault or ''}")
        if fault is not None:
            self.watch.counters["faults of the vendor"] += 1
        clean = isinstance(fault, BaseException)  # the vendor refuses, and nothing happens
        if verb == "withdraw":
            self.watch.check_withdraw(member, counts=not clean)
        elif verb == "finish" and not clean:
            self.watch.check_transfer(member)

    def _at_write(self, *where: str) -> None:
        self._maybe("write", " ".join(where))

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
        # Between the last question whether its answers are fresh and the call nobody can stop a worker that freezes.
        if self.freeze_in and not where.startswith(EFFECTS):
            self.freeze_in -= 1
            if not self.freeze_in:
                self._freeze(kind, where)

    def _freeze(self, kind: str, where: str) -> None:
        """The worker stands still; others go on meanwhile. It may have lost its lease when it wakes."""
        self.watch.happens(f"  freeze at {kind} {where}")
        self.watch.counters["freezes"] += 1
        self.pass_time(timedelta(seconds=self.rng.choice((2, 8, 90, 400, 2400))))
        if self.rng.random() < 0.7 and self.depth < 1:
            self.depth += 1
            self.rng.choice(MEANWHILE)(self)
            self.depth -= 1

    # --- steps ---------------------------------------------------------------------------------------------------

    def step_time(self) -> None:
        self.pass_time(self.world.some_time())

    def step_refresh(self) -> None:
        self.world.refresh()
        self._download()

    def step_press(self) -> None:
        """Somebody presses Reclaim for one or for several candidates."""
        if self.rng.random() < 0.8:
            self.world.refresh()
        ready = [one for one in self._candidates(State.READY) if self.rng.random() < 0.7]
        self._press(ready, dry_run=self.rng.random() < 0.1)
        for _ in range(self.rng.choice((0, 1, 2, 2))):
            if self.rng.random() < 0.45:
                self.rng.choice(TEMPTATIONS)(self)
            self.step_work()

    def _press(self, ready: list[RemovalCandidate], *, dry_run: bool = False) -> None:
        if not ready:
            return
        self.watch.happens(f"press {', '.join(one.external_id for one in ready)}{' (dry)' if dry_run else ''}")
        for place in self.world.places:
            chosen = [one for one in ready if one.profile_id == place.profile.pk]
            try:
                if chosen:
                    now = timezone.now()
                    batches.make(chosen, by=self.world.ann, now=now, ticks=TICKS, dry_run=dry_run)
            except batches.BatchRefused:
                self.watch.counters["batches refused"] += 1

    def step_decide(self) -> None:
        """The second person decides on a batch that waits."""
        for batch in RemovalBatch.objects.filter(state=RemovalBatch.State.QUARANTINED):
            yes = self.rng.random() < 0.8
            self.watch.happens(f"decide {batch}: {yes}")
            try:
                batches.decide(batch.pk, approve=yes, by=self.world.bob, now=timezone.now())
            except batches.BatchRefused:
                self.watch.counters["batches refused"] += 1

    def step_work(self) -> None:
        """A worker's turn, which may die, freeze, or meet a vendor in trouble."""
        if self.faults_on:
            kind = self.rng.random()
            self.crash_in = self.rng.randint(1, 12) if kind < 0.35 else 0
            self.freeze_in = self.rng.randint(1, 12) if 0.35 <= kind < 0.7 else 0
            self._arm_vendor()
        if self.rng.random() < 0.6:
            self.world.refresh()
        self._work(self.rng.choice(self.world.places).profile)
        self._check_stored()
        self.crash_in = self.freeze_in = 0

    def _arm_vendor(self) -> None:
        late = ("late", timedelta(minutes=self.rng.uniform(0, 25)))
        effects = ("lost before", "lost after", late, "job", "broken job", "endless job", None, None, None)
        errors: tuple[BaseException, ...] = (
            base.Throttled("Wait", retry_after=60),
            base.TryLater("Down"),
            refused(self.rng.choice(("transfer_in_progress", "remove_last_admin", "team_license_limit", "odd_tag"))),
            base.UnreadableAnswer("Half an answer"),
        )
        for verb in ("withdraw", "restore", "finish"):
            fault = self.rng.choice(effects) if self.rng.random() < 0.5 else self.rng.choice((None, *errors))
            if isinstance(fault, base.UnreadableAnswer):
                fault = self.rng.choice(("lost before", "lost after"))
            if fault is not None and self.rng.random() < 0.5:
                self.world.team.faults[verb] = [fault]
        if self.rng.random() < 0.15:
            self.world.team.faults[self.rng.choice(("look", "recent", "team", "ask"))] = [base.TryLater("Down")]

    def _work(self, profile: Any) -> None:
        """Claim a run of the profile and execute the verb, as a worker does."""
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

    def _verb(self, job: Any, *, now: Any) -> None:
        """The verb; what it raises of its own is kept for the story."""
        try:
            reclaim.run(job, now=now)
        except Exception:
            self.errors.append(traceback.format_exc())
            raise

    def step_second_worker(self) -> None:
        """A second worker of the same or of the other profile, while the first is dead or frozen."""
        for place in self.world.places:
            self._work(place.profile)

    def step_use(self) -> None:
        """Somebody works with an account, now or lately, and the vendor's log has it at once or late."""
        member = self.world.member()
        if self.world.team.state_of(member) != "present":
            return
        ago = timedelta(days=self.rng.choice((0, 0, 1, 20)))
        self.world.team.use(member, timezone.now() - ago)
        self.watch.forbid(member, "use")

    def step_exempt(self) -> None:
        member = self.world.member()
        for seat in self.world.seats(member):
            if not Exemption.objects.open().filter(subscription=seat).exists():
                Exemption.objects.create(subscription=seat, reason="VIP", at=timezone.now())
        self.watch.forbid(member, "exempt")

    def step_admin(self) -> None:
        member = self.world.member()
        self.world.team.change(member, is_admin=True, roles=("Team",))
        self.watch.forbid(member, "admin")

    def step_switch(self) -> None:
        """The switch is pressed, or let go."""
        if self.rng.random() < 0.5:
            switch.pause(None, reason="Stop", by=self.world.ann, now=timezone.now())
            for name in self.world.team.members:
                self.watch.forbid(name, "switch")
        else:
            self._go_on()

    def _go_on(self) -> None:
        switch.go_on(None, reason="Go", by=self.world.ann, now=timezone.now())
        for name in self.world.team.members:
            self.watch.allow(name, "switch")

    def step_restore_here(self) -> None:
        for attempt in RemovalAttempt.objects.filter(state=Attempt.REMOVED):
            if self.rng.random() < 0.5:
                self.watch.happens(f"press Restore {attempt.external_id}")
                try:
                    restore.request(attempt, by=self.world.ann, now=timezone.now())
                except restore.TooLate:
                    self.watch.counters["restored too late"] += 1

    def step_restore_there(self) -> None:
        member = self.world.member()
        if self.world.team.state_of(member) == "withdrawn":
            self.world.team.restore_by_hand(member)
            self.watch.forbid(member, "restored")

    def step_remove_there(self) -> None:
        member = self.world.member()
        if self.world.team.state_of(member) == "present" and self.rng.random() < 0.4:
            self.watch.happens(f"removed in the console: {member}")
            self.world.team.remove_by_hand(member)

    def step_skip(self) -> None:
        """A person closes a candidate."""
        for one in RemovalCandidate.objects.open():
            if self.rng.random() < 0.15:
                try:
                    with transaction.atomic():
                        workflow.skip(one, reason="Kept", by=self.world.ann, now=timezone.now())
                    self.watch.happens(f"skip {one.external_id}")
                except workflow.NotAllowed:
                    self.watch.counters["skips refused"] += 1

    def step_clock(self) -> None:
        """The clock of this machine, or the vendor's, is wrong for a while."""
        self.world.team.skew = self.rng.choice((0.0, 3600.0, -3600.0, None))

    def step_move_now(self) -> None:
        for attempt in RemovalAttempt.objects.filter(state=Attempt.REMOVED):
            if self.rng.random() < 0.3:
                self.watch.happens(f"press Move files now {attempt.external_id}")
                try:
                    move.request_now(attempt, by=self.world.ann, now=timezone.now())
                except move.TooLate:
                    continue

    def _download(self) -> None:
        """A listing that began some minutes ago: an ended seat that it lists returns, unless we ended it lately."""
        began = timezone.now() - timedelta(minutes=self.rng.uniform(0, 30))
        for seat in Subscription.objects.exclude(ended_at=None):
            by_us = seat.ended_by_run is not None and seat.ended_by_run.process == base.RECLAIM
            late = by_us and began < seat.ended_at + timedelta(hours=1)
            if self.world.team.state_of(seat.external_id) == "present" and not late:
                Subscription.objects.filter(pk=seat.pk).update(
                    ended_at=None, returned_at=timezone.now(), status="active", ended_by_run=None
                )
        gone = [name for name in self.world.team.members if self.world.team.state_of(name) != "present"]
        Subscription.objects.listed().filter(external_id__in=gone).update(ended_at=timezone.now())

    def _candidates(self, *states: str) -> list[RemovalCandidate]:
        return list(RemovalCandidate.objects.open().filter(state__in=states).order_by("pk"))

    # --- the end -------------------------------------------------------------------------------------------------

    def _calm_down(self) -> None:
        """No faults any more: everything has to come to its end, or to a person."""
        self.watch.happens("calm")
        self.world.team.faults.clear()
        self.world.team.skew = 0.0
        self._go_on()
        began = timezone.now()
        while self._is_anything_open() and timezone.now() < began + timedelta(days=CALM_DAYS):
            self.pass_time(self._until_due() + timedelta(seconds=61))
            self.world.team.tick()
            self.world.refresh()
            self._download()
            self._approve_all()
            RemovalAttempt.objects.filter(closed_at=None, state__in=attempts.UNSENT).update(not_before=None)
            for place in self.world.places:
                self._work(place.profile)
            self._check_stored()

    def _until_due(self) -> timedelta:
        """How long nothing can happen: until an attempt is due, its undo window is over or a lease is dead."""
        rows = RemovalAttempt.objects.filter(closed_at=None).exclude(state=Attempt.NEEDS_HUMAN)
        waits = []
        for state, not_before, after, lease in rows.values_list("state", "not_before", "move_after", "lease_until"):
            moments = [one for one in (not_before, after if state == Attempt.REMOVED else None, lease) if one]
            waits.append(max(moments) - timezone.now() if moments else timedelta(0))
        return max(min(waits, default=timedelta(days=1)), timedelta(0))

    def _approve_all(self) -> None:
        for batch in RemovalBatch.objects.filter(state=RemovalBatch.State.QUARANTINED):
            try:
                batches.decide(batch.pk, approve=True, by=self.world.bob, now=timezone.now())
            except batches.BatchRefused:
                continue

    def _is_anything_open(self) -> bool:
        open_ones = RemovalAttempt.objects.filter(closed_at=None).exclude(state=Attempt.NEEDS_HUMAN)
        with_a_person = RemovalAttempt.objects.filter(closed_at=None, state=Attempt.NEEDS_HUMAN)
        pending = RemovalCandidate.objects.filter(state=State.AWAITING_REVOCATION)
        pending = pending.exclude(external_id__in=with_a_person.values("external_id"))
        return open_ones.exists() or pending.exists()

    # --- what is stored ------------------------------------------------------------------------------------------

    def _check_stored(self) -> None:
        """What our tables say has to agree with what the vendor did."""
        removed = {one for _, what, one in self.world.team.log if what == "removed"}
        for attempt in RemovalAttempt.objects.filter(withdrawn_at__isnull=False):
            if attempt.external_id not in removed:
                self.watch.fail("false removed", attempt.external_id)
        for candidate in RemovalCandidate.objects.all():
            total = sum(entry.quantity for entry in SavingsEntry.objects.filter(candidate=candidate))
            if total not in (0, 1):
                self.watch.fail("wrong ledger", f"{candidate.external_id}: {total}")

    def _check_end(self) -> None:
        self.world.team.tick()
        self.watch.happens("end")
        for attempt in RemovalAttempt.objects.filter(closed_at=None).exclude(state=Attempt.NEEDS_HUMAN):
            self.watch.fail("without an end", f"{attempt.external_id} is {attempt.state}")
        with_a_person = set(RemovalAttempt.objects.filter(closed_at=None).values_list("external_id", flat=True))
        pending = RemovalCandidate.objects.filter(state=State.AWAITING_REVOCATION)
        for candidate in pending.exclude(external_id__in=with_a_person):
            self.watch.fail("without an end", f"{candidate.external_id} waits for {candidate.hold}")
        self._check_seats()
        self._check_files()
        for attempt in RemovalAttempt.objects.filter(dry_run=False):
            self.watch.counters[f"ended as {attempt.state}"] += 1

    def _check_seats(self) -> None:
        """After one more listing every seat is here as it is at the vendor."""
        self._download()
        self.pass_time(timedelta(hours=2))
        self._download()
        for seat in Subscription.objects.filter(external_id__in=self.world.team.members):
            present = self.world.team.state_of(seat.external_id) == "present"
            if present != (seat.ended_at is None):
                self.watch.fail("lost subscriptions", f"{seat.external_id}: {seat.ended_at}")

    def _check_files(self) -> None:
        """Whoever is gone by a finished removal of ours has its files with the administrator; nobody else's moved."""
        for attempt in RemovalAttempt.objects.filter(state=Attempt.CLOSED, dry_run=False, intent_at__isnull=False):
            member = self.world.team.members[attempt.external_id]
            elsewhere = attempt.candidate.savings.filter(note="outside").exists()
            owed = not member.is_present and not elsewhere and member.seat.status != "invited"
            if owed and member.files_at != ADMIN and not self._is_working(attempt.external_id):
                self.watch.fail("files lost", f"{attempt.external_id}: {member.files_at}")
        for name, member in self.world.team.members.items():
            if member.is_present and member.files_at != name:
                self.watch.fail("files lost", f"{name} is a member, and its files are with {member.files_at}")

    def _is_working(self, member: str) -> bool:
        return any(work.external_id == member and not work.over for work in self.world.team.jobs.values())


STEPS_AND_WEIGHTS: tuple[Callable[[Story], None], ...] = (
    *(Story.step_work,) * 10,
    *(Story.step_press,) * 4,
    *(Story.step_time,) * 6,
    *(Story.step_refresh,) * 5,
    *(Story.step_decide,) * 3,
    *(Story.step_second_worker,) * 2,
    *(Story.step_restore_here, Story.step_restore_there) * 3,
    *(Story.step_use, Story.step_switch),
    *(Story.step_exempt, Story.step_admin, Story.step_remove_there, Story.step_skip, Story.step_clock),
    Story.step_move_now,
)
# What happens to members of whom a removal has just been asked for.
TEMPTATIONS: tuple[Callable[[Story], None], ...] = (
    *(Story.step_use, Story.step_exempt, Story.step_admin) * 2,
    *(Story.step_switch, Story.step_skip, Story.step_restore_there, Story.step_remove_there),
)
MEANWHILE: tuple[Callable[[Story], None], ...] = (
    *(Story.step_second_worker,) * 4,
    *(Story.step_use, Story.step_exempt, Story.step_admin, Story.step_switch),
    *(Story.step_restore_there, Story.step_skip),
)


class _hooked_writes:
    """Let a worker die right before any write of an attempt."""

    def __init__(self, hook: Callable[..., None]) -> None:
        self.hook, self.real = hook, attempts._write

    def __enter__(self) -> None:
        real, hook = self.real, self.hook

        def write(attempt: RemovalAttempt, **changes: Any) -> None:
            hook(attempt.external_id, str(changes.get("state", "")))
            real(attempt, **changes)

        attempts._write = write

    def __exit__(self, *given: Any) -> None:
        attempts._write = self.real
