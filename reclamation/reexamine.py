"""Look again at every open candidate of a profile: does what allowed to open it still hold?

1. Read the open candidates in batches, locked, with their seats as they are now.
2. Judge each: a seat that must not be removed any more closes its candidate, so does new use. A change that a person
   has to weigh makes it *Attention Required*, and *Ready* again when it is gone. One whose removal has begun at the
   vendor is left alone.
3. Move the candidate, with the reason in its history and in the audit trail. Each batch commits with its progress.

The vendor is not called. A second run finds nothing to do, so a worker that dies costs nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from profiles.jobs.job import Job, LeaseLost
from profiles.models import IntegrationProfile
from reclamation import address, guards, workflow
from reclamation.asking import after_notice, concerns
from reclamation.models import RemovalCandidate
from reclamation.reasons import Reason
from reclamation.rules import settings_of
from reclamation.states import State
from subscriptions.activity import last_used
from subscriptions.models import LastActivity, Subscription
from subscriptions.models.person import has_left

REEXAMINE = "reexamine_candidates"
BATCH = 500
# How many days before the opening news of a use count, where the evidence knows no number of days without use.
RECENT_DAYS = 60

NOT_KEPT = "Its subscription is no longer kept here."
REHIRED = "Its user has no last day any more, or a later one, so it is not a leaver’s."
BECAME_ADMIN = "The account was given an administrative role at the vendor."
NOT_COVERED = "Not all the time since the last known activity was read, so nobody knows whether it is still unused."
CLEARED = "What needed attention is over."
WEIGHED = {State.READY, State.ATTENTION_REQUIRED}
TO_BE_ASKED = {*WEIGHED, State.AWAITING_USER}
OVER = {
    Subscription.Status.INVITED.value: "The invitation was accepted.",
    Subscription.Status.SUSPENDED.value: "The suspension was lifted.",
}
COUNTED = {
    State.CLOSED_CANCELED: "canceled",
    State.CLOSED_SKIPPED: "skipped",
    State.CLOSED_COMPLETE: "completed",
    State.ATTENTION_REQUIRED: "flagged",
    State.READY: "cleared",
}


@dataclass(frozen=True)
class Verdict:
    """The state a candidate has to go to, and why."""

    state: State
    reason: str


def run(job: Job, *, now: datetime) -> None:
    """Look at all open candidates of the run's profile."""
    profile = job.run.profile
    if profile is None:
        raise LeaseLost("The profile is gone.")
    waiting = _open_candidates(profile)
    counters: Counter[str] = Counter(dict.fromkeys(("seen", *COUNTED.values()), 0))
    job.progress(expected=waiting.count(), counters=dict(counters), step="Looking at open candidates")
    last: int | None = 0
    while last is not None:
        with transaction.atomic():
            last = _look_at_batch(profile, last, counters, now)
            job.progress(items=counters["seen"], counters=dict(counters))


def _look_at_batch(profile: IntegrationProfile, after: int, counters: Counter[str], now: datetime) -> int | None:
    """Judge and move the next candidates after this key. Returns the key of the last one; None if there are no more."""
    rows = _open_candidates(profile).filter(pk__gt=after).select_related("rule", "rule_version").order_by("pk")
    candidates = list(rows.select_for_update(no_key=True, of=("self",))[:BATCH])
    seats = _read_seats(candidates, now)
    for candidate in candidates:
        counters["seen"] += 1
        seat = seats.get(candidate.subscription_id)
        if verdict := judge(candidate, seat, now):
            _mark_after_notice(candidate, seat, verdict)
            try:
                workflow.apply(candidate, verdict.state, reason=verdict.reason, now=now)
            except workflow.NotAllowed:  # its removal has begun at the vendor in this very moment
                continue
            counters[COUNTED[verdict.state]] += verdict.state != candidate.state
    return candidates[-1].pk if len(candidates) == BATCH else None


def _open_candidates(profile: IntegrationProfile) -> QuerySet[RemovalCandidate]:
    return RemovalCandidate.objects.filter(~guards.is_being_removed(), profile=profile).open()


def _mark_after_notice(candidate: RemovalCandidate, seat: Any | None, verdict: Verdict) -> None:
    """Use after a notice cancels like any other, and is counted apart."""
    if verdict.state == State.CLOSED_CANCELED and seat is not None and (used := _newer_use(candidate, seat)):
        after_notice.mark(candidate, used.at)


def _read_seats(candidates: list[RemovalCandidate], now: datetime) -> dict[int | None, Any]:
    keys = [one.subscription_id for one in candidates if one.subscription_id]
    seats = Subscription.objects.select_related("last_activity", "match__person").filter(pk__in=keys)
    exempt = guards.is_exempt(timezone.localtime(now).date())
    described = seats.annotate(guard=guards.first_failing(), is_exempt=exempt)
    return {seat.pk: seat for seat in last_used.with_idle_facts(address.with_address(described), now)}


def judge(candidate: RemovalCandidate, seat: Any | None, now: datetime) -> Verdict | None:
    """What has to become of an open candidate; None if it stays as it is.

    The seat has to be read with `guard`, `is_exempt`, `has_address` and the facts of `last_used.with_idle_facts`.
    """
    if seat is None:
        return Verdict(State.CLOSED_SKIPPED, NOT_KEPT)
    if seat.guard:
        is_done = seat.guard == guards.ENDED and candidate.state == State.AWAITING_REVOCATION
        return Verdict(State.CLOSED_COMPLETE if is_done else State.CLOSED_SKIPPED, guards.SENTENCES[seat.guard])
    if seat.is_exempt:
        return Verdict(State.CLOSED_SKIPPED, guards.EXEMPT)
    if candidate.reason == Reason.LEAVER and hasattr(seat, "match") and not _has_left(seat, now):
        return Verdict(State.CLOSED_SKIPPED, REHIRED)
    if canceled := _why_canceled(candidate, seat, now):
        return Verdict(State.CLOSED_CANCELED, canceled)
    concern = _concern(candidate, seat, now)
    if candidate.state != State.ATTENTION_REQUIRED:
        return Verdict(State.ATTENTION_REQUIRED, concern) if concern else None
    if candidate.attention in ("", concern):
        return None
    if not concern and concerns.still_stands(candidate):
        return None
    return Verdict(State.ATTENTION_REQUIRED, concern) if concern else Verdict(State.READY, CLEARED)


def _why_canceled(candidate: RemovalCandidate, seat: Any, now: datetime) -> str:
    """Use that the evidence does not know, or an invitation or suspension that was the reason and is over."""
    used = _newer_use(candidate, seat)
    if used and candidate.is_canceled_by_use and not _has_left(seat, now):
        return f"Used on {timezone.localtime(used.at):%-d %b %Y}, as was not known when it was opened ({used.kind})."
    return OVER.get(candidate.status_at_opening, "") if seat.status == Subscription.Status.ACTIVE else ""


def _newer_use(candidate: RemovalCandidate, seat: Any) -> LastActivity | None:
    """The latest use if it came after the opening, or shortly before it and nobody knew."""
    latest: LastActivity | None = getattr(seat, "last_activity", None)
    if latest is None:
        return None
    if latest.at > candidate.opened_at:
        return latest
    known = candidate.evidence.get("last_activity")
    is_news = not known or latest.at > datetime.fromisoformat(known)
    return (
        latest if is_news and latest.at > candidate.opened_at - timedelta(days=_days_without_use(candidate)) else None
    )


def _days_without_use(candidate: RemovalCandidate) -> int:
    """For how many days before the opening there was to be no use, as the evidence has it."""
    known = candidate.evidence.get("inactive_days") or candidate.evidence.get("threshold_days")
    return int(known or RECENT_DAYS)


def _has_left(seat: Any, now: datetime) -> bool:
    """Whether the last day of the seat's user is over. Use of such an account is no reason to keep it."""
    left_on = seat.match.person.left_on if hasattr(seat, "match") else None
    return has_left(left_on, timezone.localtime(now).date())


def _concern(candidate: RemovalCandidate, seat: Any, now: datetime) -> str:
    """What a person has to weigh before anything goes on; empty if nothing."""
    used = _newer_use(candidate, seat)
    if used and _has_left(seat, now) and used.at > candidate.opened_at:
        return f"Used on {timezone.localtime(used.at):%-d %b %Y}, after its user left the company ({used.kind})."
    if candidate.was_admin is False and seat.is_admin:
        return BECAME_ADMIN
    if candidate.status_at_opening not in ("", seat.status):
        before = Subscription.Status(candidate.status_at_opening).label
        return f"The account's status at the vendor changed from {before} to {seat.get_status_display()}."
    if candidate.state in TO_BE_ASKED:
        nobody = address.why_nobody_to_ask(seat, settings_of(candidate), candidate.justification, now)
        if nobody:
            return nobody
    # Where somebody is asked or a removal is pending, a gap only makes it wait, so that the answer is not lost.
    return NOT_COVERED if candidate.state in WEIGHED and _lost_coverage(candidate, seat, now) else ""


def _lost_coverage(candidate: RemovalCandidate, seat: Any, now: datetime) -> bool:
    """Whether less is known of the time without use than at the opening, as after a gap or another team."""
    known = candidate.evidence.get("inactive_days") if candidate.evidence.get("covered") else None
    idle = last_used.idle(seat, now)
    return known is not None and (idle is None or (not idle.is_exact and idle.days < known))
