"""Add lines to the ledger of savings. A line is never changed, and a candidate has at most one of each kind.

*Freed* is a seat that left the vendor's list by our removal. It becomes money when a renewal buys fewer rights: see
`renewals`. What goes back is subtracted as it was added.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from reclamation.models import RemovalCandidate, SavingsEntry
from samsaas.lib import money
from subscriptions.entitlements.price import price_on
from subscriptions.models import Entitlement, Person, SoftwareModel

Kind = SavingsEntry.Kind
GONE_BACK = (Kind.RESTORED, Kind.RETURNED)


def add(candidate: RemovalCandidate, kind: Kind, *, on: date, note: str = "") -> bool:
    """Add the line *freed*, *restored* or *returned*, unless it is there. Returns whether a line was added.

    What was never freed cannot go back, and it goes back once. What a renewal has saved already stays saved if the
    account only returns, since that is a new need; if it is restored, the saving is taken back as well.
    """
    lines = {line.kind: line for line in SavingsEntry.objects.filter(candidate=candidate)}
    freed, saved = lines.get(Kind.FREED), lines.get(Kind.SAVED)
    if kind == Kind.FREED:
        return freed is None and _write_freed(candidate, on, note)
    if freed is None or lines.keys() & {*GONE_BACK} or (kind == Kind.RETURNED and saved):
        return False
    if saved:
        _take_back(saved, Kind.SAVED_OFFSET, on, note)
    return _take_back(freed, kind, on, note)


def add_saved(freed: SavingsEntry, renewal: Entitlement, price: Decimal | None, currency: str) -> bool:
    """Add the line *saved* of a freed seat: its renewal bought a right less, at what was paid for it before."""
    values = _common_values(freed)
    amount = None if price is None else money.rounded(price, currency)
    values |= {"price": price, "amount": amount, "currency": currency if amount is not None else ""}
    values |= {"quantity": 1, "on": renewal.start, "entitlement": renewal}
    saved, is_new = SavingsEntry.objects.get_or_create(candidate=freed.candidate, kind=Kind.SAVED, defaults=values)
    restored = SavingsEntry.objects.filter(candidate=freed.candidate, kind=Kind.RESTORED).first()
    if is_new and restored:  # after the renewal, which was recorded late
        _take_back(saved, Kind.SAVED_OFFSET, restored.on, "")
    return is_new


def _write_freed(candidate: RemovalCandidate, on: date, note: str) -> bool:
    model, person = _model_of(candidate), _person_of(candidate)
    price, currency = _price_on(model, on)
    values: dict[str, Any] = {
        "quantity": 1,
        "price": price,
        "amount": None if price is None else money.rounded(price, currency),
        "currency": currency,
        "on": on,
        "rule_name": candidate.rule.name if candidate.rule else "",
        "software_model": candidate.software_model,
        "of_model": model,
        "person": person,
        "profile_name": candidate.profile_name,
        "department": person.department if person else "",
        "note": note[:200],
    }
    return SavingsEntry.objects.get_or_create(candidate=candidate, kind=Kind.FREED, defaults=values)[1]


def _take_back(line: SavingsEntry, kind: Kind, on: date, note: str) -> bool:
    """Subtract a line as it was added."""
    values = _common_values(line)
    values |= {"price": line.price, "amount": None if line.amount is None else -line.amount, "currency": line.currency}
    values |= {"quantity": -1, "on": on, "note": note[:200], "entitlement": line.entitlement}
    return SavingsEntry.objects.get_or_create(candidate=line.candidate, kind=kind, defaults=values)[1]


def _common_values(line: SavingsEntry) -> dict[str, Any]:
    names = ("rule_name", "software_model", "of_model", "person", "profile_name", "department")
    return {name: getattr(line, name) for name in names}


def _price_on(model: SoftwareModel | None, on: date) -> tuple[Decimal | None, str]:
    """The price of a right and a year on that day; None where it is not known."""
    try:
        price = price_on(model, on) if model else None
    except money.TooLarge:
        price = None
    return (None, "") if price is None or price.amount is None else (price.amount, price.currency)


def _model_of(candidate: RemovalCandidate) -> SoftwareModel | None:
    seat = candidate.subscription
    return seat.identifier.software_model if seat else None


def _person_of(candidate: RemovalCandidate) -> Person | None:
    seat = candidate.subscription
    return seat.match.person if seat and hasattr(seat, "match") else None
