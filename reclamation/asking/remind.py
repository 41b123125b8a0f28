"""Remind users who have not answered, on the days before the end that their rule names.

`sweep` calls this in office hours only. On a day without them nobody is reminded; the next working day makes up for it,
with one mail for all that was missed. What would come after the end is left out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from reclamation import rules
from reclamation.asking import addressee, notices, wording
from reclamation.asking.wording import Wording
from reclamation.models import Notice, RemovalCandidate
from reclamation.states import State
from samsaas.lib import office_hours


def with_last_mail(candidates: QuerySet[RemovalCandidate]) -> QuerySet[RemovalCandidate]:
    """The candidates with `last_mail_at`, when the latest mail of their question was queued."""
    own = Q(notices__kind__in=notices.ASKING, notices__token_hash__isnull=False)
    return candidates.annotate(last_mail_at=Max("notices__mail__queued_at", filter=own))


def is_due(candidate: RemovalCandidate, now: datetime) -> bool:
    """Whether the user is to be reminded now, and has not been since the day that asks for it.

    The candidate has to be read by `with_last_mail`.
    """
    end, last = candidate.deadline, getattr(candidate, "last_mail_at", None)
    if end is None or end <= now:
        return False
    last_day, today = timezone.localtime(end).date(), timezone.localtime(now).date()
    reached = [days for days in rules.settings_of(candidate).remind_before if today >= last_day - timedelta(days=days)]
    if not reached:
        return False
    day_before = office_hours.end_of_day(last_day - timedelta(days=min(reached) + 1))
    return last is None or last <= day_before


@transaction.atomic
def run(candidate: RemovalCandidate, now: datetime) -> Notice | None:
    """Queue the reminder; None if the user has answered meanwhile, was just reminded, or cannot be written to."""
    locked = RemovalCandidate.objects.select_for_update(no_key=True, of=("self",)).filter(pk=candidate.pk)
    if not locked.filter(state=State.AWAITING_USER, deadline=candidate.deadline).exists():
        return None
    again = with_last_mail(RemovalCandidate.objects.select_related("rule")).get(pk=candidate.pk)
    address = addressee.address_of(candidate)
    if not address or again.deadline is None or not is_due(again, now):
        return None
    asked = wording.question(candidate, until=wording.date_in_words(again.deadline))
    words = Wording(f"{wording.REMINDER}{asked.subject}", asked.text)
    return notices.remind(candidate, address, words, deadline=again.deadline, now=now)
