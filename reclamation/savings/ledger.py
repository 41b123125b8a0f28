"""Add lines to the ledger of savings. A line is never changed, and a candidate has at most one of each kind."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from reclamation.models import RemovalCandidate, SavingsEntry

Kind = SavingsEntry.Kind
SIGNS = {Kind.FREED: 1, Kind.RESTORED: -1, Kind.RETURNED: -1}


def add(candidate: RemovalCandidate, kind: Kind, *, on: date, note: str = "") -> bool:
    """Add the line of this kind, unless it is there. What goes back has the price of what was freed.

    What was never freed cannot go back, and it goes back once. Returns whether a line was added.
    """
    lines = {line.kind: line for line in SavingsEntry.objects.filter(candidate=candidate)}
    freed = lines.get(Kind.FREED)
    gone_back = {Kind.RESTORED, Kind.RETURNED} & lines.keys()
    if kind in lines or (kind != Kind.FREED and (freed is None or gone_back)):
        return False
    price, currency = (freed.price, freed.currency) if freed else _price_now(candidate)
    sign = SIGNS[kind]
    values: dict[str, Any] = {
        "quantity": sign,
        "price": price,
        "amount": None if price is None else sign * price,
        "currency": currency,
        "on": on,
        "rule_name": candidate.rule.name if candidate.rule else "",
        "software_model": candidate.software_model,
        "profile_name": candidate.profile_name,
        "department": _department(candidate),
        "note": note[:200],
    }
    return SavingsEntry.objects.get_or_create(candidate=candidate, kind=kind, defaults=values)[1]


def _price_now(candidate: RemovalCandidate) -> tuple[Decimal | None, str]:
    """The price of a right and a year that the software model states, with its currency; None where it states none."""
    seat = candidate.subscription
    model = seat.identifier.software_model if seat else None
    if model is None or model.cost_override is None:
        return None, ""
    return model.cost_override, model.currency


def _department(candidate: RemovalCandidate) -> str:
    seat = candidate.subscription
    return seat.match.person.department if seat and hasattr(seat, "match") else ""
