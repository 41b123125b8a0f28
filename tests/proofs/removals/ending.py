"""The end of a story: nothing new fails, everything comes to its end or to a person, and all tables are right."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from profiles.connectors import base
from reclamation import attempts
from reclamation.models import RemovalAttempt, RemovalBatch, RemovalCandidate, SavingsEntry
from reclamation.removal import batches, switch
from reclamation.states import State
from samsaas.models import Mail
from subscriptions.models import Subscription
from tests.proofs.removals.asking import ASKED, Asking
from tests.reclamation.removal.place import ADMIN

Attempt = RemovalAttempt.State
CALM_DAYS, CALM_ROUNDS = 90, 150
LONGEST_PAUSE = timedelta(hours=8)  # for what nobody but a vendor's job is waited, a day at most


class Ending(Asking):
    """How a story ends, and what is true at every moment."""

    def download(self) -> None:
        """A listing that began some minutes ago: an ended seat that it lists returns, unless we ended it lately."""
        began = timezone.now() - timedelta(minutes=self.rng.uniform(0, 30))
        for seat in Subscription.objects.exclude(ended_at=None):
            by_us = seat.ended_by_run is not None and seat.ended_by_run.process == base.RECLAIM
            late = by_us and began < seat.ended_at + timedelta(hours=1)  # type: ignore[operator]
            if self.world.team.state_of(seat.external_id) == "present" and not late:
                Subscription.objects.filter(pk=seat.pk).update(
                    ended_at=None, returned_at=timezone.now(), status="active", ended_by_run=None
                )
        gone = [name for name in self.world.team.members if self.world.team.state_of(name) != "present"]
        Subscription.objects.listed().filter(external_id__in=gone).update(ended_at=timezone.now())

    def let_go_on(self) -> None:
        """Somebody switches removals on again."""
        switch.go_on(None, reason="Go", by=self.world.ann, now=timezone.now())
        for name in self.world.team.members:
            self.watch.allow(name, "switch")

    def calm_down(self) -> None:
        """No new faults any more: everything has to come to its end, or to a person.

        What was armed for transfers stays, since most of them come only now.
        """
        self.watch.happens("calm")
        for verb in set(self.world.team.faults) - {"finish"}:
            self.world.team.faults.pop(verb)
        self.post.fault = ""
        self.world.team.skew, self.world.team.clock_ahead = 0.0, timedelta(0)
        self.let_go_on()
        approvers_answer = self.rng.random() < 0.5
        began, pause = timezone.now(), timedelta(seconds=61)
        for _ in range(CALM_ROUNDS):
            if not self._is_anything_open() or timezone.now() > began + timedelta(days=CALM_DAYS):
                return
            self.pass_time(self._until_due() + pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            self._calm_round(approvers_answer)

    def _calm_round(self, approvers_answer: bool) -> None:
        self.world.team.tick()
        self.world.refresh()
        self.download()
        if RemovalCandidate.objects.filter(state__in=ASKED).exists() or self._mails().exists():
            self.minute()
        if approvers_answer:
            self.step_decide_approval(most=1)
        self._approve_batches()
        RemovalAttempt.objects.filter(closed_at=None, state__in=attempts.UNSENT).update(not_before=None)
        for place in self.world.places:
            self.work(place.profile)
        self.check_stored()

    def _until_due(self) -> timedelta:
        """How long nothing can happen: until an attempt is due, its undo window is over, or a question ends."""
        asking = self.until_asking_due()
        rows = RemovalAttempt.objects.filter(closed_at=None).exclude(state=Attempt.NEEDS_HUMAN)
        if asking is not None:  # whoever is waited for until somebody answers or the question ends
            rows = rows.exclude(state__in=attempts.UNSENT, candidate__hold="keep")
        waits = [asking] if asking is not None else []
        for state, not_before, after, lease in rows.values_list("state", "not_before", "move_after", "lease_until"):
            moments = [one for one in (not_before, after if state == Attempt.REMOVED else None, lease) if one]
            waits.append(max(moments) - timezone.now() if moments else timedelta(0))
        return max(min(waits, default=timedelta(days=1)), timedelta(0))

    def _approve_batches(self) -> None:
        for batch in RemovalBatch.objects.filter(state=RemovalBatch.State.QUARANTINED):
            try:
                batches.decide(batch.pk, approve=True, by=self.world.bob, now=timezone.now())
            except batches.BatchRefused:
                continue

    def _mails(self) -> Any:
        return Mail.objects.filter(state=Mail.State.QUEUED)

    def _is_anything_open(self) -> bool:
        open_ones = RemovalAttempt.objects.filter(closed_at=None).exclude(state=Attempt.NEEDS_HUMAN)
        asked = RemovalCandidate.objects.filter(state__in=ASKED)
        return open_ones.exists() or asked.exists() or self._pending().exists() or self._mails().exists()

    def _pending(self) -> Any:
        """Candidates that wait for their removal, and whose account no person has to look at."""
        with_a_person = RemovalAttempt.objects.filter(closed_at=None, state=Attempt.NEEDS_HUMAN)
        pending = RemovalCandidate.objects.filter(state=State.AWAITING_REVOCATION)
        return pending.exclude(external_id__in=with_a_person.values("external_id"))

    # --- what is stored ------------------------------------------------------------------------------------------

    def check_stored(self) -> None:
        """What our tables say has to agree with what the vendor did."""
        removed = {one for _, what, one in self.world.team.log if what == "removed"}
        for attempt in RemovalAttempt.objects.filter(withdrawn_at__isnull=False):
            if attempt.external_id not in removed:
                self.watch.fail("false removed", attempt.external_id)
        for attempt in RemovalAttempt.objects.filter(state__in=(Attempt.REMOVED, Attempt.MOVING)):
            gone = self.world.team.state_of(attempt.external_id) != "present"
            if gone and Subscription.objects.listed().filter(external_id=attempt.external_id).exists():
                self.watch.fail("lost subscriptions", f"{attempt.external_id} is removed and still counted")
        totals: dict[int, int] = {}
        for candidate, quantity in SavingsEntry.objects.values_list("candidate", "quantity"):
            totals[candidate] = totals.get(candidate, 0) + quantity
        for candidate, total in totals.items():
            if total not in (0, 1):
                self.watch.fail("wrong ledger", f"candidate {candidate}: {total}")

    def check_end(self) -> None:
        """Judge what has become of everything."""
        self.world.team.tick()
        self.watch.happens("end")
        for attempt in RemovalAttempt.objects.filter(closed_at=None).exclude(state=Attempt.NEEDS_HUMAN):
            self.watch.fail("without an end", f"{attempt.external_id} is {attempt.state}")
        for candidate in self._pending():
            self.watch.fail("without an end", f"{candidate.external_id} waits for {candidate.hold}")
        for candidate in RemovalCandidate.objects.filter(state__in=ASKED):
            self.watch.fail("without an end", f"{candidate.external_id} is {candidate.state}")
        for mail in self._mails():
            self.watch.fail("without an end", f"a mail to {mail.to} is {mail.state}")
        self._check_seats()
        self._check_files()
        for attempt in RemovalAttempt.objects.filter(dry_run=False):
            self.watch.counters[f"ended as {attempt.state}"] += 1

    def _check_seats(self) -> None:
        """After one more listing every seat is here as it is at the vendor."""
        self.download()
        self.pass_time(timedelta(hours=2))
        self.download()
        for seat in Subscription.objects.filter(external_id__in=self.world.team.members):
            present = self.world.team.state_of(seat.external_id) == "present"
            if present != (seat.ended_at is None):
                self.watch.fail("lost subscriptions", f"{seat.external_id}: {seat.ended_at}")

    def _check_files(self) -> None:
        """Whoever is gone by our call has its files with the administrator, or a person decides; no others moved."""
        with_a_person = set(RemovalAttempt.objects.filter(closed_at=None).values_list("external_id", flat=True))
        for name, member in self.world.team.members.items():
            if member.is_present and member.files_at != name:
                self.watch.fail("files lost", f"{name} is a member, and its files are with {member.files_at}")
            owed = not member.is_present and self.watch.seen(name).removed_by_us and member.seat.status != "invited"
            if owed and member.files_at != ADMIN and name not in with_a_person and not self._is_working(name):
                self.watch.fail("files lost", f"{name}: {member.files_at}")

    def _is_working(self, member: str) -> bool:
        return any(work.external_id == member and not work.over for work in self.world.team.jobs.values())
