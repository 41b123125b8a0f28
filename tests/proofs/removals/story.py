"""One story: a random world, random steps with random faults, then calm until nothing is left to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from reclamation import workflow
from reclamation.models import Exemption, RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.removal import batches, move, restore, switch
from reclamation.states import State
from tests.proofs.removals.ending import Ending
from tests.proofs.removals.machine import hooked_writes
from tests.reclamation.removal.place import TICKS

Attempt = RemovalAttempt.State
STEPS = 18


class Story(Ending):
    """One world played to its end."""

    def play(self) -> dict[str, int]:
        """Play the story. Raises `Broken`."""
        with hooked_writes(self._at_write):
            for _ in range(STEPS):
                self.rng.choice(STEPS_AND_WEIGHTS)(self)
            self.check_stored()
            self.faults_on = False
            self.calm_down()
        self.check_end()
        return dict(self.watch.counters)

    def tempt(self) -> None:
        self.rng.choice(TEMPTATIONS)(self)

    def meanwhile(self) -> None:
        self.rng.choice(MEANWHILE)(self)

    # --- steps ---------------------------------------------------------------------------------------------------

    def step_time(self) -> None:
        self.pass_time(self.world.some_time())

    def step_refresh(self) -> None:
        self.world.refresh()
        self.download()

    def step_press(self) -> None:
        """Somebody presses Reclaim, and much may happen before and while a worker goes on with it."""
        if self.rng.random() < 0.8:
            self.world.refresh()
        self._press_some()
        for _ in range(self.rng.choice((0, 1, 2, 2))):
            if self.rng.random() < 0.45:
                self.tempt()
            self.step_work()

    def _press_some(self) -> None:
        """Somebody presses Reclaim for one or for several candidates."""
        ready = [one for one in self._candidates(State.READY) if self.rng.random() < 0.7]
        self._press(ready, dry_run=self.rng.random() < 0.1)

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
        if not RemovalAttempt.objects.filter(closed_at=None).exists():
            self.step_prepare()
        self.arm_worker()
        if self.faults_on:
            self.arm_vendor()
        if self.rng.random() < 0.6:
            self.world.refresh()
        self.work(self.rng.choice(self.world.places).profile)
        self.check_stored()
        self.disarm_worker()
        if self.faults_on and self.rng.random() < 0.4:
            self._restore_the_lost()

    def step_prepare(self) -> None:
        """Where nothing is to be removed yet: press, decide on what waits for somebody, or let time pass."""
        kinds = (self._press_some, self.step_decide, self.step_decide_approval, self.step_minute)
        self.rng.choice(kinds)()  # type: ignore[operator]

    def _restore_the_lost(self) -> None:
        """Somebody misses an account of which we do not know yet that it is gone, and restores it."""
        lost = RemovalAttempt.objects.filter(state__in=(Attempt.UNKNOWN, Attempt.CALLING, Attempt.JOB))
        for attempt in lost:
            if self.world.team.state_of(attempt.external_id) == "withdrawn":
                self.world.team.restore_by_hand(attempt.external_id)
                self.watch.forbid(attempt.external_id, "restored")

    def step_second_worker(self) -> None:
        """A second worker of the same or of the other profile, while the first is dead or frozen."""
        for place in self.world.places:
            self.work(place.profile)

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
            self.let_go_on()

    def step_restore_here(self) -> None:
        for attempt in RemovalAttempt.objects.filter(state=Attempt.REMOVED):
            if self.rng.random() < 0.5:
                self.watch.happens(f"press Restore {attempt.external_id}")
                try:
                    restore.request(attempt, by=self.world.ann, now=timezone.now())
                except restore.NotRestorable:
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
            self.watch.seen(member).removed_by_us = False

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
        """The clock of this machine, or the vendor's, is wrong for a while, by more or by less than is let pass."""
        seconds = self.rng.choice((0.0, 3600.0, -3600.0, 280.0, -280.0, -280.0, None))
        self.world.team.skew = seconds
        self.world.team.clock_ahead = timedelta(seconds=seconds or 0)

    def step_move_now(self) -> None:
        for attempt in RemovalAttempt.objects.filter(state=Attempt.REMOVED):
            if self.rng.random() < 0.3:
                self.watch.happens(f"press Move files now {attempt.external_id}")
                try:
                    move.request_now(attempt, by=self.world.ann, now=timezone.now())
                except move.NotMovable:
                    continue
        for _ in range(self.rng.choice((0, 1, 2))):
            self.step_work()

    def _candidates(self, *states: str) -> list[RemovalCandidate]:
        return list(RemovalCandidate.objects.open().filter(state__in=states).order_by("pk"))


STEPS_AND_WEIGHTS: tuple[Callable[[Story], None], ...] = (
    *(Story.step_work,) * 8,
    *(Story.step_silence,) * 5,
    *(Story.step_press,) * 4,
    *(Story.step_time,) * 4,
    *(Story.step_refresh, Story.step_decide, Story.step_decide_approval) * 3,
    *(Story.step_minute, Story.step_second_worker, Story.step_keep) * 2,
    *(Story.step_restore_here, Story.step_restore_there, Story.step_move_now) * 3,
    *(Story.step_use, Story.step_switch, Story.step_resume, Story.step_bounce, Story.step_address),
    *(Story.step_exempt, Story.step_admin, Story.step_remove_there, Story.step_skip) + (Story.step_clock,) * 2,
)
# What happens to members of whom a removal has just been asked for.
TEMPTATIONS: tuple[Callable[[Story], None], ...] = (
    *(Story.step_use, Story.step_exempt, Story.step_admin, Story.step_keep) * 2,
    *(Story.step_switch, Story.step_skip, Story.step_restore_there, Story.step_remove_there),
    *(Story.step_bounce, Story.step_address, Story.step_person),
)
MEANWHILE: tuple[Callable[[Story], None], ...] = (
    *(Story.step_second_worker,) * 4,
    *(Story.step_use, Story.step_exempt, Story.step_admin, Story.step_switch, Story.step_keep),
    *(Story.step_restore_there, Story.step_skip, Story.step_minute),
)
