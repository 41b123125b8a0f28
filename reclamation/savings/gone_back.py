"""Take freed seats back whose account, or whose user, has a subscription again within a year.

What is saved already stays saved: the renewal bought less, and the new subscription is a new need.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import DateTimeField, Exists, F, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from reclamation.models import RemovalCandidate, SavingsEntry
from reclamation.savings import ledger
from reclamation.savings.ledger import GONE_BACK, Kind
from reclamation.savings.renewals import LAPSES_AFTER
from reclamation.states import State
from subscriptions.models import Match


def run(now: datetime) -> int:
    """Add the lines *returned*. Returns how many."""
    today = timezone.localtime(now).date()
    return _take_back_accounts(today) + _take_back_users(today)


def _waiting(today: date) -> QuerySet[SavingsEntry]:
    """Freed lines of completed candidates that are neither saved nor gone back, of at most a year."""
    others = SavingsEntry.objects.filter(candidate=OuterRef("candidate"), kind__in=(*GONE_BACK, Kind.SAVED))
    waiting = SavingsEntry.objects.filter(~Exists(others), kind=Kind.FREED, on__gte=today - LAPSES_AFTER)
    return waiting.filter(candidate__state=State.CLOSED_COMPLETE)


def _take_back_accounts(today: date) -> int:
    back = _waiting(today).filter(
        candidate__subscription__ended_at=None,
        candidate__subscription__returned_at__gt=F("candidate__closed_at"),
    )
    rows = back.annotate(again_at=F("candidate__subscription__returned_at")).select_related("candidate__rule")
    return sum(_add_returned(one.candidate, one.again_at) for one in rows)


def _take_back_users(today: date) -> int:
    """Of lines whose user has got another subscription of the same software model after it was freed."""
    freed_at = OuterRef("candidate__subscription__freed_at")
    newer = Match.objects.filter(
        Q(subscription__first_seen_at__gt=freed_at) | Q(subscription__returned_at__gt=freed_at),
        person=OuterRef("person"),
        subscription__ended_at=None,
        subscription__identifier__software_model=OuterRef("of_model"),
    ).exclude(subscription=OuterRef("candidate__subscription"))
    began = Greatest(
        "subscription__first_seen_at", Coalesce("subscription__returned_at", "subscription__first_seen_at")
    )
    first = newer.order_by().values("person").annotate(began=Min(began)).values("began")
    rows = _waiting(today).filter(Exists(newer), person__isnull=False)
    rows = rows.annotate(again_at=Subquery(first, output_field=DateTimeField())).select_related("candidate__rule")
    return sum(_add_returned(one.candidate, one.again_at) for one in rows)


def _add_returned(candidate: RemovalCandidate, again_at: datetime) -> bool:
    return ledger.add(candidate, Kind.RETURNED, on=timezone.localtime(again_at).date())
