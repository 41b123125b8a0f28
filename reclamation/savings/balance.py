"""What became of the freed seats by a day: each is pending, saved, gone back (offset) or lapsed.

In seats, freed without offset is the sum of saved, pending and lapsed: every freed seat is in exactly one state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When

from reclamation.models import SavingsEntry
from reclamation.savings.ledger import GONE_BACK, Kind
from reclamation.savings.renewals import LAPSES_AFTER, begun_renewals, reduction_of


class FreedState(models.TextChoices):
    PENDING = "pending", "Pending"
    SAVED = "saved", "Saved"
    OFFSET = "offset", "Gone back"
    LAPSED = "lapsed", "Lapsed"


@dataclass
class Balance:
    """The ledger of a day in seats, and its money by currency. `reduced_otherwise` is by renewal, in rights."""

    freed: int
    offset: int
    saved: int
    pending: int
    lapsed: int
    freed_money: dict[str, Decimal] = field(default_factory=dict)
    saved_money: dict[str, Decimal] = field(default_factory=dict)
    reduced_otherwise: dict[int, int] = field(default_factory=dict)

    @property
    def freed_net(self) -> int:
        return self.freed - self.offset


def freed_entries(day: date) -> QuerySet[Any]:
    """The *freed* lines up to that day, each with `became`, the state of its seat on that day."""
    lines = SavingsEntry.objects.filter(candidate=OuterRef("candidate"), on__lte=day)
    became = Case(
        When(Exists(lines.filter(kind__in=GONE_BACK)), then=Value(FreedState.OFFSET.value)),
        When(Exists(lines.filter(kind=Kind.SAVED)), then=Value(FreedState.SAVED.value)),
        When(on__lt=day - LAPSES_AFTER, then=Value(FreedState.LAPSED.value)),
        default=Value(FreedState.PENDING.value),
        output_field=models.CharField(),
    )
    return SavingsEntry.objects.filter(kind=Kind.FREED, on__lte=day).annotate(became=became)


def balance_on(day: date) -> Balance:
    """The ledger as of the end of that day."""
    counted = dict(freed_entries(day).order_by().values_list("became").annotate(models.Count("pk")))
    numbers = {state: counted.get(state.value, 0) for state in FreedState}
    entries = SavingsEntry.objects.filter(on__lte=day)
    return Balance(
        freed=sum(numbers.values()),
        offset=numbers[FreedState.OFFSET],
        saved=numbers[FreedState.SAVED],
        pending=numbers[FreedState.PENDING],
        lapsed=numbers[FreedState.LAPSED],
        freed_money=_money_of(entries, (Kind.FREED, *GONE_BACK)),
        saved_money=_money_of(entries, (Kind.SAVED, Kind.SAVED_OFFSET)),
        reduced_otherwise=_reduced_otherwise(day),
    )


def _money_of(entries: QuerySet[SavingsEntry], kinds: Iterable[str]) -> dict[str, Decimal]:
    rows = entries.filter(kind__in=kinds).exclude(amount=None).order_by().values_list("currency")
    return {currency: total for currency, total in rows.annotate(models.Sum("amount"))}


def _reduced_otherwise(day: date) -> dict[int, int]:
    """Rights that renewals gave back beyond the freed seats, by the key of the renewal."""
    saved = SavingsEntry.objects.filter(kind=Kind.SAVED, on__lte=day).order_by()
    ours = dict(saved.values_list("entitlement").annotate(models.Count("pk")))
    beyond = {one.pk: reduction_of(one) - ours.get(one.pk, 0) for one in begun_renewals(day)}
    return {key: rights for key, rights in beyond.items() if rights > 0}
