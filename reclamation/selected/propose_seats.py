"""Propose selected seats for removal by hand, many at once. Nothing is removed, and the vendor is not called.

1. Take each batch again from the database, locked: seats that nothing stands in the way of (`obstacle`). What is not so
   any more is left out.
2. Collect what is known about their use now.
3. Open their candidates as `propose` opens one, each with its line in the audit trail.

Whoever proposes one seat sees that it is exempt or kept, and may mean it all the same. Of many nobody sees it, so
these are left out here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from reclamation import address, evidence, guards, workflow
from reclamation.models import ReclamationRule, RemovalCandidate
from reclamation.reasons import Reason
from samsaas.lib.bulk import in_slices
from samsaas.lib.weigh_selection import Words
from subscriptions.activity import last_used
from subscriptions.entitlements.price import read_prices
from subscriptions.models import Subscription

BATCH = 500
RECENT_DAYS = 30
RELATED = ("profile", "identifier__software_model", "last_activity", "match__person")
WORDS: Words = {
    Reason.OPEN_CANDIDATE.value: ("is proposed already", "are proposed already"),
    guards.ENDED: ("has ended", "have ended"),
    guards.OTHER_TEAM: ("belongs to another team", "belong to another team"),
    guards.EXCLUDED: ("is excluded", "are excluded"),
    guards.UNMANAGED: ("is not under management", "are not under management"),
    guards.AUTHORIZED: ("authorized the connection", "authorized a connection"),
    guards.AUTHORIZER_UNKNOWN: ("may have authorized the connection", "may have authorized a connection"),
    Reason.EXEMPT.value: ("is exempt", "are exempt"),
    Reason.KEPT.value: ("is kept until a later day", "are kept until a later day"),
}


@dataclass
class Foreseen:
    """What a person should know of the seats before they propose them.

    `cost` is what those that use a license cost a year, by currency; `unpriced` of them have no known price.
    """

    cost: dict[str, Decimal] = field(default_factory=dict)
    unpriced: int = 0
    admins: int = 0
    recent: int = 0


def obstacle(today: date) -> Case:
    """The code of what stands in the way of proposing a seat among many; empty if nothing does."""
    open_ones = RemovalCandidate.objects.open().filter(subscription=OuterRef("pk"))
    return Case(
        When(Exists(open_ones), then=Value(Reason.OPEN_CANDIDATE.value)),
        *(When(guard.condition, then=Value(guard.code)) for guard in guards.GUARDS),
        When(guards.is_exempt(today), then=Value(Reason.EXEMPT.value)),
        When(guards.is_kept(today), then=Value(Reason.KEPT.value)),
        default=Value(""),
        output_field=CharField(),
    )


def foresee(keys: Sequence[int], now: datetime) -> Foreseen:
    """What is worth knowing of these seats."""
    outlook, licenses = Foreseen(), Counter[int | None]()
    for batch in in_slices(keys, BATCH):
        for model, in_use, admins, recent in _count_by_model(batch, now):
            licenses[model] += in_use
            outlook.admins += admins
            outlook.recent += recent
    prices = read_prices((model for model in licenses if model), timezone.localtime(now).date())
    for model, count in licenses.items():
        price = prices.get(model) if model else None
        if price is None or price.amount is None:
            outlook.unpriced += count
        elif count:
            outlook.cost[price.currency] = outlook.cost.get(price.currency, Decimal()) + price.amount * count
    return outlook


def _count_by_model(keys: Sequence[int], now: datetime) -> QuerySet[Any, tuple[int | None, int, int, int]]:
    used = Q(last_activity__at__gte=last_used.midnight(now, RECENT_DAYS - 1))
    counted = Subscription.objects.filter(pk__in=keys).order_by().values("identifier__software_model")
    return counted.annotate(
        in_use=Count("pk", filter=Q(consumes_license=True)),
        admins=Count("pk", filter=Q(is_admin=True)),
        recent=Count("pk", filter=used),
    ).values_list("identifier__software_model", "in_use", "admins", "recent")


def run(keys: Sequence[int], *, justification: str, note: str, by: User, now: datetime) -> list[RemovalCandidate]:
    """Propose those of the seats that still can be. Returns their candidates."""
    return [
        one
        for batch in in_slices(keys, BATCH)
        for one in _propose_batch(batch, justification=justification, note=note, by=by, now=now)
    ]


@transaction.atomic
def _propose_batch(
    keys: Sequence[int], *, justification: str, note: str, by: User, now: datetime
) -> Sequence[RemovalCandidate]:
    """Lock the seats first and judge them then, since somebody may have proposed one meanwhile."""
    list(Subscription.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True).only("pk"))
    able = Subscription.objects.filter(pk__in=keys).annotate(obstacle=obstacle(timezone.localtime(now).date()))
    seats = address.with_address(able.filter(obstacle="").select_related(*RELATED).order_by("pk"))
    rule = ReclamationRule.with_defaults(now)
    openings = [
        workflow.Opening(
            seat=seat,
            reason=Reason.MANUAL.value,
            evidence=evidence.describe_use(seat, now=now),
            justification=justification,
            note=note,
            attention=address.why_nobody_to_ask(seat, rule, justification, now),
        )
        for seat in last_used.with_idle_facts(seats, now)
    ]
    return workflow.open_proposed(openings, by=by, now=now)
