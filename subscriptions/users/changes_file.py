"""The seats whose user would change, as a CSV file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.http.response import HttpResponseBase

from samsaas.lib import csv_export
from subscriptions.models import PersonImportSeat
from subscriptions.users.compare import SeatChange

MOST = 20_000  # of a preview that is not stored; more would not fit into the memory of a request
HEADER = (
    "Effect",
    "Subscription",
    "User principal name",
    "External user id",
    "Subscription profile",
    "Employee number now",
    "User now",
    "Employee number then",
    "User then",
)


def stream(name: str, changes: Iterable[SeatChange | PersonImportSeat]) -> HttpResponseBase:
    """A download of these changes, one per line."""
    return csv_export.stream(f"users-{name}", HEADER, _lines(changes))


def _lines(changes: Iterable[SeatChange | PersonImportSeat]) -> Iterator[tuple[Any, ...]]:
    for one in changes:
        seat, effect = one.seat, PersonImportSeat.Effect(one.effect).label
        users = (one.before_key, one.before_name, one.after_key, one.after_name)
        yield (effect, str(seat), seat.email, seat.external_id, seat.profile.display_name, *users)
