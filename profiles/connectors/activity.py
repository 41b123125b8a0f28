"""Activity as a connector returns it: who was active on which day. The vendor's events themselves are not kept."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from profiles.connectors.text import plain


class Use(NamedTuple):
    """How one account was used on one UTC day, summed up from the vendor's events.

    The first of `external_id`, `account_id` and `email` that is not empty identifies the account. `kind` is the
    vendor's name for the latest event, at `latest` (UTC).
    """

    external_id: str
    account_id: str
    email: str
    day: dt.date
    latest: dt.datetime
    kind: str
    events: int


class DayUse(msgspec.Struct, gc=False):
    """The use of one account on one day so far. `gc=False` because a pull holds hundreds of thousands of these."""

    events: int
    latest: dt.datetime
    kind: str


class Uses:
    """Collects what a connector reads from pages of events: the use of accounts by day, and counts of everything read.

    `counters` add up: read = counted + the reasons not to count. `held` is keyed by day (its ordinal), then by the
    seat's id, or by account id and address where the vendor did not give the seat's id. A connector's hot loop writes
    it.
    """

    def __init__(self) -> None:
        self.held: dict[int, dict[str | tuple[str, str], DayUse]] = {}
        self.counters: Counter[str] = Counter()
        self.unknown_kinds: set[str] = set()

    def __len__(self) -> int:
        return sum(map(len, self.held.values()))

    def rows(self) -> Iterator[Use]:
        """The uses collected so far, one row per account and day, fit to store."""
        kinds: dict[str, str] = {}
        for number, accounts in self.held.items():
            day = dt.date.fromordinal(number)
            for key, held in accounts.items():
                kind = kinds.get(held.kind) or kinds.setdefault(held.kind, plain(held.kind, 80))
                whose = (plain(key, 128), "", "") if isinstance(key, str) else ("", *key)
                yield Use(*whose, day, held.latest, kind, held.events)


class ActivityPage(msgspec.Struct, frozen=True, kw_only=True):
    """One decoded page of activity with `read` events. A page may have none and still be followed by another.

    `fold` adds its events to `Uses`. It is separate from decoding, so that the next page can be fetched meanwhile.
    """

    read: int
    fold: Callable[[Uses], None]
    cursor: str = ""
    has_more: bool = False


class ActivityType(msgspec.Struct, frozen=True, kw_only=True):
    """A class of events as pages explain it: whether it counts as use, and why. `examples` are the vendor's names."""

    label: str
    counts: bool
    reason: str
    examples: tuple[str, ...] = ()
