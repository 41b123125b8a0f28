"""The renewals of a page: how urgent each is, and what all of them come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db import models

from subscriptions.entitlements.renewals import Renewal, reduce_by, renewal_day
from subscriptions.models import Entitlement, SoftwareModel

SOON = 30  # days


class Urgency(models.TextChoices):
    """What a renewal asks of a person. The order is that of the page."""

    AUTO_RENEWED = "auto_renewed", "Auto-renewed?"
    ENDED = "ended", "Ended, not decided"
    SOON = "soon", "Reduce within 30 days"
    OPEN = "open", "Time to decide"
    TOO_LATE = "too_late", "Too late to reduce"
    ASKED = "asked", "Reduction asked for"


@dataclass(frozen=True)
class RenewalRow:
    """One renewal, as the page of that day shows it."""

    renewal: Renewal
    urgency: Urgency

    @property
    def entitlement(self) -> Entitlement:
        return self.renewal.entitlement

    @property
    def software_model(self) -> SoftwareModel:
        return self.entitlement.software_model

    @property
    def reduce_by(self) -> date:
        return self.renewal.reduce_by

    @property
    def is_overdue(self) -> bool:
        return self.urgency in (Urgency.AUTO_RENEWED, Urgency.ENDED)


@dataclass
class Totals:
    """What the renewals of a page come to. `unknown` have advice, and no price."""

    count: int = 0
    rights: int = 0
    recommended: int = 0
    change: int = 0
    without_advice: int = 0
    unknown: int = 0
    money: dict[str, Decimal] = field(default_factory=dict)


def judge(renewal: Renewal, day: date) -> Urgency:
    """What it asks of a person on that day."""
    return urgency_of(renewal.entitlement, day)


def urgency_of(one: Entitlement, day: date) -> Urgency:
    """What an entitlement that has an end, and is due, asks of a person on that day."""
    if renewal_day(one) <= day:
        return Urgency.AUTO_RENEWED if one.auto_renew else Urgency.ENDED
    if one.reduction_asked_on is not None:
        return Urgency.ASKED
    days_left = (reduce_by(one) - day).days
    if days_left < 0:
        return Urgency.TOO_LATE
    return Urgency.SOON if days_left <= SOON else Urgency.OPEN


def make_rows(renewals: Iterable[Renewal], day: date) -> list[RenewalRow]:
    """The rows of a page: what has ended first, then by the day until which the vendor takes a reduction."""
    rows = [RenewalRow(one, judge(one, day)) for one in renewals]
    return sorted(rows, key=lambda row: (not row.is_overdue, row.reduce_by, row.entitlement.pk))


def add_up(rows: Iterable[RenewalRow]) -> Totals:
    """The sums of the rows that have advice. Amounts of two currencies are never added."""
    totals = Totals()
    for row in rows:
        totals.count += 1
        _add(totals, row.renewal)
    return totals


def _add(totals: Totals, one: Renewal) -> None:
    if one.recommended is None or one.change is None:
        totals.without_advice += 1
        return
    totals.rights += one.entitlement.purchased_rights
    totals.recommended += one.recommended
    totals.change += one.change
    if one.yearly_change is None:
        totals.unknown += 1
    else:
        currency = one.entitlement.currency
        totals.money[currency] = totals.money.get(currency, Decimal(0)) + one.yearly_change
