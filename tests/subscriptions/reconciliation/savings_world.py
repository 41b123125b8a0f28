"""The removals of a worked case, played day by day, and what the ledger says of them in the words of the case."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from reclamation.models import RemovalCandidate, SavingsEntry
from reclamation.savings import balance, ledger, renewals
from reclamation.states import State
from samsaas.lib import money
from subscriptions.models import Entitlement
from tests import factories
from tests.subscriptions.reconciliation.position_world import World, amount, day, identifier_of, lines, moment

KINDS = (
    ("removed_on", ledger.Kind.FREED),
    ("restored_on", ledger.Kind.RESTORED),
    ("returned_on", ledger.Kind.RETURNED),
)
Candidates = dict[str, RemovalCandidate]


def play_removals(world: World, case: dict[str, Any], until: date) -> Candidates:
    """Every day up to then: what happened to the removals, then the sweep that looks for renewals."""
    events: dict[date, list[tuple[str, Any]]] = defaultdict(list)
    candidates: Candidates = {}
    for row in lines(case, "removals"):
        candidates[row["id"]] = removed_seat(world, row)
        for column, kind in KINDS:
            if on := day(row[column]):
                events[on].append((row["id"], kind))
    for start in Entitlement.objects.exclude(renews=None).values_list("start", flat=True):
        events.setdefault(start, [])
    for on in sorted(one for one in {*events, until} if one <= until):
        for name, kind in events.get(on, []):
            ledger.add(candidates[name], kind, on=on)
        renewals.note_saved(moment(on) + timedelta(hours=12))
    return candidates


def removed_seat(world: World, row: dict[str, str]) -> RemovalCandidate:
    removed = moment(date.fromisoformat(row["removed_on"]))
    identifier = identifier_of(world, next(iter(world.profiles)), row["model"])
    seat = factories.subscription(
        profile=next(iter(world.profiles.values())),
        identifier=identifier,
        first_seen_at=removed,
        valid_since=removed,
        ended_at=removed,
        freed_at=removed,
    )
    return factories.candidate(seat, state=State.CLOSED_COMPLETE, opened_at=removed, closed_at=removed)


def describe_savings(candidates: Candidates, on: date) -> dict[str, Any]:
    found, names = balance.balance_on(on), {one.pk: name for name, one in candidates.items()}
    entries = SavingsEntry.objects.filter(on__lte=on).order_by("on", "candidate_id", "pk")
    return {
        **{name: getattr(found, name) for name in ("freed", "offset", "freed_net", "saved", "pending", "lapsed")},
        "freed_net_yearly": as_texts(found.freed_money),
        "saved_yearly": as_texts(found.saved_money),
        "unattributed_reduction": found.reduced_otherwise,
        "state": {names[one.candidate_id]: one.became for one in balance.freed_entries(on)},
        "ledger": [
            [one.on.isoformat(), names[one.candidate_id], one.kind, one.quantity, amount(one.amount, one.currency)]
            + [one.currency]
            for one in entries
        ],
    }


def as_texts(amounts: dict[str, Any]) -> dict[str, str]:
    return {currency: str(money.rounded(total, currency)) for currency, total in amounts.items()}
