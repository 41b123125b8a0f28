"""Batches: what one press of *Reclaim*, or one find in mode automatic, asks for, in one vendor team.

A batch above the quota waits for a second person before anybody is asked. One above the ceiling is refused, and says
how many fit now, and when the rest will. A batch that was stopped waits for a second person again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation import attempts, rules, workflow
from reclamation.asking.ask import NotAsked
from reclamation.models import ReclamationRule, RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.removal import first_step, limits, start
from reclamation.states import State
from samsaas import audit

Batch = RemovalBatch.State
LIVE = (Batch.OPEN, Batch.QUARANTINED, Batch.APPROVED)
REJECTED = "The batch was rejected by a second person."
MOVED_ON = "Somebody else has decided on it meanwhile."


class BatchRefused(Exception):
    """The batch cannot be made or decided. `fits` is how many are possible now, `rest_at` when all of them are."""

    def __init__(self, text: str, *, fits: int = 0, rest_at: datetime | None = None) -> None:
        super().__init__(text)
        self.fits, self.rest_at = fits, rest_at


@dataclass(frozen=True)
class Ticks:
    """What the person who asks for a batch confirmed."""

    legal_hold: bool = False
    evidence: bool = False
    admins: bool = False


def ready(candidates: Iterable[int]) -> Any:
    """Those of these candidates that a batch can take: Ready, of a profile, and in no batch that goes on."""
    return take_ready(RemovalCandidate.objects.filter(pk__in=list(candidates)))


def take_ready(candidates: QuerySet[RemovalCandidate]) -> Any:
    """As `ready`, of the candidates of a query."""
    rows = candidates.filter(closed_at=None, state=State.READY, profile__isnull=False)
    free = Q(batch=None) | ~Q(batch__state__in=LIVE)
    return rows.filter(free).select_related("rule", "profile__alias__parent", "subscription").order_by("pk")


def by_team(candidates: Iterable[RemovalCandidate]) -> dict[tuple[str, str], list[RemovalCandidate]]:
    """Candidates by vendor and team."""
    found: dict[tuple[str, str], list[RemovalCandidate]] = {}
    for one in candidates:
        if one.profile:
            found.setdefault((one.profile.vendor, one.profile.team_id), []).append(one)
    return found


@transaction.atomic
def make(
    candidates: Sequence[RemovalCandidate],
    *,
    by: User | None,
    now: datetime,
    ticks: Ticks = Ticks(),
    dry_run: bool = False,
    must_wait: bool = False,
) -> RemovalBatch:
    """A batch of candidates of one team. Below the limits its candidates go on at once. Raises `BatchRefused`.

    With `must_wait` it waits for a second person in any case: a program asked for it.
    """
    locked = list(ready([one.pk for one in candidates]).select_for_update(of=("self",), no_key=True))
    if not locked or locked[0].profile is None:
        raise BatchRefused("None of these candidates is ready to be reclaimed.")
    profile = locked[0].profile
    figures = limits.figures_for(profile, now=now)
    if not dry_run:
        check_ceiling(profile, figures, len(locked), now=now)
    waits = not dry_run and (must_wait or needs_second_person(locked, figures))
    batch = RemovalBatch.objects.create(
        profile=profile,
        profile_name=profile.display_name,
        vendor=profile.vendor,
        team_id=profile.team_id,
        requested_by=by,
        requested_at=now,
        dry_run=dry_run,
        state=Batch.QUARANTINED if waits else Batch.OPEN,
        size=len(locked),
        limits=figures.as_json(),
        legal_hold_checked=ticks.legal_hold,
        evidence_checked=ticks.evidence,
        admin_checked=ticks.admins,
    )
    audit.record(by, "asked for removals", batch, candidates=len(locked), dry_run=dry_run, state=batch.state)
    if dry_run:
        _open_dry_run(batch, locked, now)
        return batch
    RemovalCandidate.objects.filter(pk__in=[one.pk for one in locked]).update(batch=batch)
    if batch.state == Batch.OPEN:
        _go_on(batch, by=by, now=now)
    return batch


def left_out(batch: RemovalBatch) -> list[tuple[str, str]]:
    """The numbers of candidates that left the batch because nobody could be asked, each with the reason."""
    return [(number, reason) for number, reason in batch.limits.get("refused", ())]


def check_ceiling(profile: IntegrationProfile, figures: limits.Figures, size: int, *, now: datetime) -> None:
    """Raises `BatchRefused` where the team does not allow so many removals in seven days, even with a second person."""
    if figures.allows(size):
        return
    at = limits.rest_possible_at(profile, size, now=now)
    raise BatchRefused(
        f"This team allows {figures.ceiling} removals in 7 days, and {figures.week} were made. "
        f"{figures.room} are possible now.",
        fits=figures.room,
        rest_at=at,
    )


def needs_second_person(candidates: Sequence[RemovalCandidate], figures: limits.Figures) -> bool:
    """Whether a second person has to agree before anybody is asked."""
    if figures.needs_second_person(len(candidates)):
        return True
    return any(_is_admin(one) or _needs_agreement(one) for one in candidates)


def _is_admin(candidate: RemovalCandidate) -> bool:
    return bool(candidate.subscription and candidate.subscription.is_admin)


def _needs_agreement(candidate: RemovalCandidate) -> bool:
    """The rule wants a second person, and names no approver who could be one."""
    rule = rules.settings_of(candidate)
    return rule.second_person and rule.approver == ReclamationRule.Approver.NONE


def _open_dry_run(batch: RemovalBatch, candidates: Sequence[RemovalCandidate], now: datetime) -> None:
    for one in candidates:
        one.batch = batch  # of the attempt only: the candidate stays free for a real batch
        attempts.open_for(one, dry_run=True, now=now)
    if batch.profile:
        start.request_run(batch.profile, by=batch.requested_by)


def _go_on(batch: RemovalBatch, *, by: User | None, now: datetime) -> None:
    """Begin with the candidates that are still Ready, and let attempts that waited for the batch go on.

    Those of whom nobody can be asked leave the batch, which keeps the reason.
    """
    waiting = batch.candidates.open().filter(state=State.READY).select_related("rule", "profile", "subscription")
    refused = []
    for one in waiting.order_by("pk"):
        one.batch = batch
        try:
            with transaction.atomic():
                first_step.run(one, by=by, now=now)
        except NotAsked as reason:
            refused.append([one.number, str(reason)])
        except workflow.NotAllowed:
            refused.append([one.number, MOVED_ON])
        else:
            continue
        RemovalCandidate.objects.filter(pk=one.pk).update(batch=None)
    if refused:
        batch.limits = {**batch.limits, "refused": refused}
        batch.save(update_fields=["limits"])
    batch.attempts.filter(closed_at=None, state__in=attempts.UNSENT).update(not_before=None)
    if batch.profile and batch.attempts.filter(closed_at=None).exists():
        start.request_run(batch.profile, by=by)


@transaction.atomic
def decide(batch_id: int, *, approve: bool, by: User, now: datetime) -> RemovalBatch:
    """Let a batch that waits for a second person go on, or close its candidates as skipped. Raises `BatchRefused`."""
    batch = RemovalBatch.objects.select_for_update(of=("self",)).select_related("profile").get(pk=batch_id)
    if batch.state != Batch.QUARANTINED:
        raise BatchRefused("This batch does not wait for a decision any more.")
    if batch.requested_by_id == by.pk:
        raise BatchRefused("Nobody decides on a batch that he or she asked for. Another administrator has to.")
    if approve and batch.profile:
        figures = limits.figures_for(batch.profile, now=now)
        check_ceiling(batch.profile, figures, still_callable(batch), now=now)
    RemovalBatch.objects.filter(pk=batch.pk).update(
        state=Batch.APPROVED if approve else Batch.REJECTED, decided_by=by, decided_at=now
    )
    batch.refresh_from_db()
    audit.record(by, "approved removals" if approve else "rejected removals", batch, candidates=batch.size)
    if approve:
        _go_on(batch, by=by, now=now)
    else:
        _reject(batch, by=by, now=now)
    return batch


def _reject(batch: RemovalBatch, *, by: User, now: datetime) -> None:
    """Close what has not begun at the vendor. The next find leaves it alone for the cool-down of its rule."""
    rows = batch.candidates.open().select_related("rule", "rule_version__rule", "profile")
    for one in rows.select_for_update(of=("self",)):
        until = timezone.localtime(now).date() + timedelta(days=rules.settings_of(one).cool_down_days)
        try:
            workflow.skip(one, reason=REJECTED, by=by, now=now, keep_until=until)
        except workflow.NotAllowed:
            continue


def still_callable(batch: RemovalBatch) -> int:
    """How many of the batch's candidates may still be removed: open, and not called about yet."""
    called = RemovalAttempt.objects.filter(dry_run=False, closed_at=None).exclude(called_at=None)
    return batch.candidates.open().exclude(attempts__in=called).count()


def is_stopped(attempt: RemovalAttempt) -> bool:
    """Whether the batch of an attempt waits for a second person now, or was rejected."""
    stopped = (Batch.QUARANTINED, Batch.REJECTED)
    batches = RemovalBatch.objects.filter(state__in=stopped)
    return attempt.batch_id is not None and batches.filter(pk=attempt.batch_id).exists()


@transaction.atomic
def quarantine(batch: RemovalBatch, *, reason: str, now: datetime) -> None:
    """Stop a batch until a second person decides again."""
    going = RemovalBatch.objects.filter(pk=batch.pk, state__in=(Batch.OPEN, Batch.APPROVED))
    values = {"limits": {**batch.limits, "stopped": reason, "stopped_at": now.isoformat()}}
    if going.update(state=Batch.QUARANTINED, decided_by=None, decided_at=None, **values):
        audit.record(None, "stopped removals", batch, reason=reason)


def end_done() -> int:
    """Mark the batches as done of which no candidate and no attempt is open."""
    going = RemovalBatch.objects.filter(state__in=(Batch.OPEN, Batch.APPROVED))
    open_ones = RemovalCandidate.objects.open().filter(batch__in=going).values("batch")
    open_attempts = RemovalAttempt.objects.filter(batch__in=going, closed_at=None).values("batch")
    over = going.exclude(pk__in=open_ones).exclude(pk__in=open_attempts)
    return over.update(state=Batch.DONE)
