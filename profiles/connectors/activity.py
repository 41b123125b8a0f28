"""Activity as a connector returns it: who was active on which day. The vendor's events themselves are not kept."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

import msgspec

from profiles.connectors.text import identity, plain

PAGES_REMEMBERED = 10  # for which another worker compares with the last page of the worker before
EMAIL, IDENTIFIER = 320, 128


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


class Named(Protocol):
    """The actor of an event as the vendor names it, besides the id of its seat."""

    account_id: str | None
    email: str | None


def name_of(actor: Named) -> tuple[str, str]:
    """The account id of an actor, and the e-mail address at that time. A damaged one is none."""
    return identity(actor.account_id or "", IDENTIFIER), identity(actor.email or "", EMAIL)


class Uses:
    """Collects what a connector reads from pages of events: the use of accounts by day, and counts of everything read.

    `counters` add up: read = counted + the reasons not to count. `held` is keyed by day (its ordinal), then by the
    seat's id, or by account id and address where the vendor did not give the seat's id; `names` has the actor that came
    with a seat's id. Both hold only ids that are whole, see `text.identity`. `beside` counts what could be a member's
    and is no known use, by day and by the name of its counter; day 0 is one that could not be read. `repeats` knows the
    events of a while ago, so that one sent twice counts once. A connector's hot loop writes all of it.

    `came_back` has the seats whose accounts became members again, and when last, where single accounts were asked about
    (`recent`).
    """

    def __init__(self, repeats: Repeats | None = None) -> None:
        self.held: dict[int, dict[str | tuple[str, str], DayUse]] = {}
        self.names: dict[str, Named] = {}
        self.counters: Counter[str] = Counter()
        self.beside: Counter[tuple[int, str]] = Counter()
        self.unknown_kinds: set[str] = set()
        self.unknown_actors: set[str] = set()
        self.repeats = repeats or Repeats()
        self.came_back: dict[str, dt.datetime] = {}

    def __len__(self) -> int:
        return sum(map(len, self.held.values()))

    def rows(self) -> Iterator[Use]:
        """The uses collected so far, one row per account and day, fit to store."""
        for external_id, day, latest, kind, events in self.of_seats():
            yield Use(external_id, "", "", day, latest, kind, events)
        for (account_id, email), day, latest, kind, events in self.of_names():
            yield Use("", account_id, email, day, latest, kind, events)

    def of_seats(self) -> Iterator[tuple[str, dt.date, dt.datetime, str, int]]:
        """The uses that say the id of their seat: id, day, latest, kind and events."""
        kinds = _Kinds()
        for number, accounts in self.held.items():
            day = dt.date.fromordinal(number)
            for key, held in accounts.items():
                if isinstance(key, str):
                    yield key, day, held.latest, kinds[held.kind], held.events

    def of_names(self) -> Iterator[tuple[tuple[str, str], dt.date, dt.datetime, str, int]]:
        """The uses that do not say it: account id with address, and the rest as before."""
        kinds = _Kinds()
        for number, accounts in self.held.items():
            day = dt.date.fromordinal(number)
            for key, held in accounts.items():
                if not isinstance(key, str):
                    yield key, day, held.latest, kinds[held.kind], held.events

    def events_by_day(self) -> dict[dt.date, int]:
        """How many events of use each UTC day holds so far."""
        return {
            dt.date.fromordinal(number): sum(held.events for held in accounts.values())
            for number, accounts in self.held.items()
        }

    def latest(self) -> dt.datetime | None:
        """The latest use collected so far (UTC)."""
        if not self.held:
            return None
        return max(held.latest for held in self.held[max(self.held)].values())


class _Kinds(dict[str, str]):
    """Kinds of event, fit to store."""

    def __missing__(self, kind: str) -> str:
        self[kind] = fit = plain(kind, 80)
        return fit


class Repeats:
    """Remembers the last events of a reading by their marks: equal time, kind and actor make one event.

    A vendor that repeats a page, or a part of one, does so soon. To remember more would cost memory that grows with the
    log. Exact for at least `most` events back, and for at most twice as many.

    Another worker that continues a reading knows nothing of this. `lasting` gives the marks of the last page in a form
    that can be stored, and `earlier` takes them for the first pages of the next worker.
    """

    def __init__(self, most: int = 131_072, *, earlier: Iterable[str] = ()) -> None:
        self.most = most
        self.now: set[int] = set()
        self.before: set[int] = set()
        self.earlier = set(earlier)
        self.pages = 0
        self.lasting: Callable[[], list[str]] = list

    def turn(self) -> None:
        """Forget the older half if the newer one is full. Call it after every page."""
        if len(self.now) >= self.most:
            self.before, self.now = self.now, set()
        self.pages += 1
        if self.pages >= PAGES_REMEMBERED:
            self.earlier.clear()


class ActivityPage(msgspec.Struct, frozen=True, kw_only=True):
    """One decoded page of activity with `read` events. A page may have none and still be followed by another.

    `fold` adds its events to `Uses`. It is separate from decoding, so that the next page can be fetched meanwhile.
    """

    read: int
    fold: Callable[[Uses], None]
    cursor: str = ""
    has_more: bool = False


class ActivityType(msgspec.Struct, frozen=True, kw_only=True):
    """A class of events as pages explain it: whether it counts as use, and why. `examples` are the vendor's names.

    `verified` is what shows that the vendor really writes such events so; empty where we assume it.
    """

    label: str
    counts: bool
    reason: str
    examples: tuple[str, ...] = ()
    verified: str = ""
