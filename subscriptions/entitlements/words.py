"""Entitlements in words and amounts for people: terms, costs, versions, chains of renewals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from samsaas.lib import money
from subscriptions.entitlements.edit import DETAILS
from subscriptions.entitlements.terms import Book, DerivedState, price_of_right, yearly_cost
from subscriptions.models import Entitlement, EntitlementVersion

ONE_DAY = timedelta(days=1)
UNKNOWN = "not known"
LABELS = {
    **{field.name: str(field.verbose_name).capitalize() for field in Entitlement._meta.fields if field.name in DETAILS},
    "reduction_asked_to": "Reduction asked for, to",
    "reduction_asked_on": "Reduction asked for, on",
    "state": "State",
    "retired_on": "Retired on",
}


def write_day(day: date | None) -> str:
    """A day such as 3 Apr 2026; empty where there is none."""
    return f"{day:%-d %b %Y}" if day else ""


def write_money(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency, such as EUR 1,200.00; not known where there is none."""
    return UNKNOWN if amount is None else f"{currency} {amount:,}"


def write_term(one: Entitlement) -> str:
    """From when to when it counts."""
    return f"{write_day(one.start)} – {write_day(one.end)}" if one.end else f"from {write_day(one.start)}"


def write_state(state: str) -> str:
    """What people call a state."""
    return str(DerivedState(state).label)


def write_rights(one: Entitlement) -> str:
    """How many rights it has."""
    return "Unlimited" if one.unlimited else f"{one.purchased_rights:,}"


def write_yearly_cost(one: Entitlement) -> str:
    """What all its rights cost a year."""
    cost = yearly_cost(one)
    try:
        return write_money(None if cost is None else money.rounded(cost, one.currency), one.currency)
    except money.TooLarge:
        return UNKNOWN


def write_price(one: Entitlement) -> str:
    """What one right costs a year."""
    try:
        price = price_of_right(one)
    except money.TooLarge:
        return UNKNOWN
    return write_money(None if price is None else money.trim(price), one.currency)


def write_given_cost(amount: Decimal | None, currency: str) -> str:
    """A cost as it was recorded; empty where it was not."""
    return "" if amount is None else write_money(money.trim(amount), currency)


def write_carried(moved: int, left: int, after: Entitlement) -> str:
    """What became of allocations that were moved to a renewal."""
    people = f"The rights of {moved:,} {'person' if moved == 1 else 'people'} go on in {after.number}."
    if not left:
        return people
    return (
        f"{people} {left:,} {'was' if left == 1 else 'were'} not moved: they have left, or no right is free for them."
    )


@dataclass(frozen=True)
class ChainLink:
    """One of a chain of renewals, and what lies between it and the one before it: a gap in which nothing counts."""

    entitlement: Entitlement
    is_this: bool
    gap: str = ""


def list_chain(one: Entitlement, book: Book) -> list[ChainLink]:
    """The entitlements that one follows, itself, and those that follow it, oldest first. Only itself: none."""
    known = {other.pk: other for other in book.entitlements} | {one.pk: one}
    chain = [one]
    while (before := known.get(chain[0].renews_id or 0)) and before not in chain:
        chain.insert(0, before)
    while (after := book.renewal_of.get(chain[-1].pk)) and after not in chain:
        chain.append(after)
    return [
        ChainLink(member, member.pk == one.pk, _describe_gap(chain[place - 1], member) if place else "")
        for place, member in enumerate(chain)
    ]


def _describe_gap(before: Entitlement, after: Entitlement) -> str:
    if before.end is None or after.start <= before.end + ONE_DAY:
        return ""
    first, last = before.end + ONE_DAY, after.start - ONE_DAY
    return f"No right of either counts from {write_day(first)} to {write_day(last)}."


def compare_versions(versions: Iterable[EntitlementVersion]) -> list[tuple[EntitlementVersion, list[str]]]:
    """Versions, latest first, each with what it changed in words. The oldest one says that it was recorded."""
    ordered = list(versions)
    names = _names_of(ordered)
    found = []
    for place, version in enumerate(ordered):
        older = ordered[place + 1].values if place + 1 < len(ordered) else None
        changes = ["Recorded"] if older is None else _differences(older, version.values, names)
        found.append((version, changes or ["Saved without a change"]))
    return found


def _differences(before: Mapping[str, str], after: Mapping[str, str], names: Mapping[str, str]) -> list[str]:
    changed = (name for name in LABELS if before.get(name, "") != after.get(name, ""))
    return [
        f"{LABELS[name]}: {_show_value(before.get(name, ''), names)} → {_show_value(after.get(name, ''), names)}"
        for name in changed
    ]


def _show_value(text: str, names: Mapping[str, str]) -> str:
    return names.get(text, text) or "none"


def _names_of(versions: Iterable[EntitlementVersion]) -> dict[str, str]:
    """Choices as people read them: in_use is In use."""
    choices: list[Any] = [
        *Entitlement.State.choices,
        *Entitlement.Agreement.choices,
        *Entitlement.Period.choices,
        ("True", "yes"),
        ("False", "no"),
    ]
    return {str(value): str(label) for value, label in choices}
