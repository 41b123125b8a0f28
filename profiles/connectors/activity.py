"""Activity as a connector hands it back: folded to who was active on which day, never an event itself."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from profiles.connectors.text import plain


class Use(NamedTuple):
    """How one account was used on one UTC day, folded from the vendor's events: never an event itself.

    Whose use it is says the first of `external_id`, `account_id`, `email` that is not empty. `kind` is the vendor's
    word for the latest event, at `latest` (UTC).
    """

    external_id: str
    account_id: str
    email: str
    day: dt.date
    latest: dt.datetime
    kind: str
    events: int


class DayUse(msgspec.Struct, gc=False):
    """The uses of one account on one day so far; the garbage collector need not look at a hundred thousand of them."""

    events: int
    latest: dt.datetime
    kind: str


class Uses:
    """Where a connector folds pages of events into: accounts by day, and the counts of everything read.

    `counters` add up: read = counted + the reasons not to count. `held` is by day (its ordinal), then by the seat's id,
    or by account id and address where the vendor did not tell the seat's. A connector writes it in its hot loop.
    """

    def __init__(self) -> None:
        self.held: dict[int, dict[str | tuple[str, str], DayUse]] = {}
        self.counters: Counter[str] = Counter()
        self.unknown_kinds: set[str] = set()

    def __len__(self) -> int:
        return sum(map(len, self.held.values()))

    def rows(self) -> Iterator[Use]:
        """What was folded, one row per account and day, fit to store."""
        kinds: dict[str, str] = {}
        for number, accounts in self.held.items():
            day = dt.date.fromordinal(number)
            for key, held in accounts.items():
                kind = kinds.get(held.kind) or kinds.setdefault(held.kind, plain(held.kind, 80))
                whose = (plain(key, 128), "", "") if isinstance(key, str) else ("", *key)
                yield Use(*whose, day, held.latest, kind, held.events)


class ActivityPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of activity, decoded: `read` events were on it, none on an empty page with more to come.

    `fold` counts them; it is apart from the reading, so that the next page can be fetched meanwhile.
    """

    read: int
    fold: Callable[[Uses], None]
    cursor: str = ""
    has_more: bool = False


class ActivityType(msgspec.Struct, frozen=True, kw_only=True):
    """A class of events for people to read: whether it counts as use, and why. `examples` are the vendor's names."""

    label: str
    counts: bool
    reason: str
    examples: tuple[str, ...] = ()
