"""What was reclaimed in the story: idle subscriptions, on a few days; one of them was missed and restored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation import attempts, workflow
from reclamation.models import RemovalAttempt, RemovalCandidate
from reclamation.reasons import Reason
from reclamation.removal import outcome
from reclamation.states import State
from samsaas.demo.story import daily_runs

# Days ago -> how many are reclaimed. Those of the last one can still be undone, for less than two days.
RECLAIMED = {48: 3, 37: 2, 12: 2, 6: 1}
RESTORED = 34  # days ago, one of those before
REASONS = (Reason.IDLE, Reason.NEVER_ACTIVE, Reason.SUSPENDED)
OF = "Dropbox Business"
REASON = "Reclaimed by Robin Finch: nobody objected."
Attempt = RemovalAttempt.State


class Reclaiming:
    """Does what a worker does after everybody has agreed: the vendor removes, and seven days later moves the files."""

    def __init__(self, profile: IntegrationProfile, console: Any, *, by: User) -> None:
        self.profile, self.console, self.by = profile, console, by

    def by_day(self) -> dict[int, list[Callable[[], None]]]:
        """What happens on which day."""
        days: dict[int, list[Callable[[], None]]] = {day: [partial(self.reclaim, n)] for day, n in RECLAIMED.items()}
        days.setdefault(RESTORED, []).append(self.restore)
        for day in RECLAIMED:
            if day > 7:
                days.setdefault(day - 7, []).append(self.move_files)
        return days

    def reclaim(self, count: int) -> None:
        """The longest idle ones that are proposed."""
        ready = RemovalCandidate.objects.open().filter(state=State.READY)
        idle = ready.filter(reason__in=REASONS, software_model__contains=OF)
        run = daily_runs.note_removals(self.profile, by=self.by)
        for candidate in idle.select_related("profile", "rule").order_by("reason", "pk")[:count]:
            now = timezone.now()
            workflow.revoke(candidate, reason=REASON, by=self.by, now=now)
            opened = attempts.open_for(candidate, now=now)
            attempt = self._hold(opened.pk, Attempt.APPROVED)
            attempts.move(attempt, Attempt.GATED, keep=True)
            attempts.move(attempt, Attempt.CALLING, keep=True, intent_at=now, called_at=now, answered_at=now)
            self.console.remove(self._member(attempt))
            outcome.record_removed(attempt, run=run, at=now)

    def restore(self) -> None:
        """Somebody asked for their subscription, so its removal is undone."""
        pk = RemovalAttempt.objects.filter(state=Attempt.REMOVED).order_by("-pk").values_list("pk", flat=True).first()
        if pk is None:
            return
        attempt = self._hold(pk, Attempt.REMOVED)
        attempts.move(attempt, Attempt.RESTORING, keep=True, restored_by=self.by, restore_intent_at=timezone.now())
        self.console.restore(self._member(attempt))
        here = RemovalAttempt.RestoredWhere.HERE
        outcome.record_restored(attempt, where=here, status="active", at=timezone.now(), by=self.by)

    def move_files(self) -> None:
        """The files of those who were removed a week ago go to the administrator. Nothing can be undone any more."""
        now = timezone.now()
        due = RemovalAttempt.objects.filter(state=Attempt.REMOVED, move_after__lte=now + timedelta(hours=1))
        admin = self.console.team.admins()[0]
        for pk in list(due.values_list("pk", flat=True)):
            attempt = self._hold(pk, Attempt.REMOVED)
            self.console.move_files(self._member(attempt), admin)
            moved: dict[str, Any] = {"move_intent_at": now, "move_called_at": now, "moved_at": now}
            to = admin["profile"]["team_member_id"]
            attempts.note(attempt, destination_external_id=to, transfer_admin_external_id=to)
            outcome.finish(attempt, run=None, at=now, moved_by=RemovalAttempt.MovedBy.EVENT, **moved)

    def _hold(self, pk: int, state: str) -> RemovalAttempt:
        attempt = attempts.take(pk, state, now=timezone.now() + timedelta(days=8))
        if attempt is None:
            raise RuntimeError("Nobody else works on the story.")
        return attempt

    def _member(self, attempt: RemovalAttempt) -> Any:
        return self.console.team.find("team_member_id", attempt.external_id)
