"""Whether people agreed to a removal, judged by the letters they have and not by the product's own tables."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from reclamation.models import ReclamationRule, RemovalAttempt
from subscriptions.models import Match
from tests.proofs.removals.post import Delivered

if TYPE_CHECKING:
    from tests.proofs.removals.world import World


def problem(world: World, attempt: RemovalAttempt | None) -> str:
    """Why nobody agreed to the call of this attempt; empty if everybody did who has to."""
    if attempt is None:
        return "no attempt is being called"
    candidate, rule = attempt.candidate, world.rule_of(attempt)
    agreed = world.agreed.get(candidate.pk, set())
    if rule.notify_user and not candidate.is_leaver:
        letters = [one for one in world.post.letters if one.candidate == candidate.pk]
        if not any(_is_over(one, world, rule) for one in letters if _is_theirs(one, candidate.subscription_id)):
            return "its user was not asked, or has time to answer"
    elif rule.approver != ReclamationRule.Approver.NONE and not agreed - {world.ann.pk}:
        return "no approver said yes"
    batch = attempt.batch
    second = agreed | ({batch.decided_by_id} if batch and batch.state == batch.State.APPROVED else set())
    if rule.second_person and not second - {world.ann.pk, None}:
        return "no second person said yes"
    return ""


def _is_over(letter: Delivered, world: World, rule: ReclamationRule) -> bool:
    """Whether the user of a letter has had the days it names, at the address that counts now."""
    if (letter.came_back and not letter.was_used) or letter.at < world.moved_at.get(letter.external_id, letter.at):
        return False
    return (letter.until or end_of_days(letter.at, rule.notice_days)) <= timezone.now()


def end_of_days(since: datetime, days: int) -> datetime:
    """The end of the local day so many days later."""
    day = timezone.localtime(since).date() + timedelta(days=days + 1)
    return datetime.combine(day, time(0), tzinfo=timezone.get_current_timezone()) - timedelta(microseconds=1)


def _is_theirs(letter: Delivered, seat: int | None) -> bool:
    """Whether the seat still leads to whom the letter asked. One that has lost its user stays theirs."""
    now_of = set(Match.objects.filter(subscription=seat).values_list("person__key", flat=True))
    return not letter.person_key or not now_of or letter.person_key in now_of
