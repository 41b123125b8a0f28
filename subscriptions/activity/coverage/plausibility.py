"""Decides whether a reading of the log that came to its end is believed. In doubt its time is not called covered.

A log can end too early without any error: an answer with fewer events, or none, that says there are no more. Such an
answer is too good to be believed where people work. Silence and fewness are judged over at least 14 days and not for
teams under 20, so that a weekend or a holiday stays covered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from subscriptions.activity.coverage.intervals import midnight_of_day

DAY = timedelta(days=1)
JUDGED = timedelta(days=14)
TEAM = 20
SESSION_AHEAD = timedelta(hours=24)
UNKNOWN_SHARE = 0.01
NAMELESS_SHARE = 0.1
FEW = 20  # events; fewer than this say nothing
SAME_DAYS = 0.9  # of the events that the same days held before
THIN_PER_MEMBER = 0.1  # events of use in 14 days
THIN_AGAINST_BEFORE = 0.05


@dataclass(frozen=True, kw_only=True)
class Portion:
    """Events of some time, by what became of them, as in `ReadingFigures`. `when` names the time in a sentence."""

    use: int
    not_use: int
    unknown: int
    nameless: int
    set_aside: int
    when: str = ""

    @property
    def possible(self) -> int:
        """Those that could be a member's. What apps, outsiders and the vendor itself do says nothing about them."""
        return self.use + self.not_use + self.unknown + self.set_aside


@dataclass(frozen=True, kw_only=True)
class ReadingFigures:
    """A reading in numbers: since ≤ t < until.

    `read` are all its events, `unknown` those whose actor is of a kind we do not know, `nameless` those without an
    actor, `set_aside` those that could not be read, `not_use` what members did that is no use. `latest` is the end of a
    long reading, which is judged as well. `by_day` are its events of use by UTC day, `before` what earlier
    believed readings of the same team counted. `last_session` is the latest use of a device, where that was read;
    without file events (`file_events` is False) a device is used without the log knowing. `next_use` is the first day
    after a reading that ends in the past on which the log holds use.
    `members_since(moment)` counts the active seats that were assigned before the moment.
    """

    since: datetime
    until: datetime
    read: int
    unknown: int
    nameless: int
    set_aside: int
    by_day: Mapping[date, int]
    before: Mapping[date, int]
    last_use: datetime | None
    last_session: datetime | None
    file_events: bool | None
    members_since: Callable[[datetime], int]
    not_use: int = 0
    latest: Portion | None = None
    next_use: date | None = None

    @property
    def portions(self) -> list[Portion]:
        """All of it, and its end if it is long: what came lately must not drown in what came before."""
        whole = Portion(
            use=sum(self.by_day.values()),
            not_use=self.not_use,
            unknown=self.unknown,
            nameless=self.nameless,
            set_aside=self.set_aside,
        )
        return [whole, self.latest] if self.latest else [whole]

    @property
    def days(self) -> dict[date, int]:
        """All days with use that are known now: what this reading found takes the place of what was counted before.

        A reading says nothing about the time before it began, whatever events of that time it holds.
        """
        first = self.since.date()
        earlier = {day: events for day, events in self.before.items() if day < first}
        own = {day: events for day, events in self.by_day.items() if day >= first}
        return {day: events for day, events in (earlier | own).items() if events}


@dataclass(frozen=True)
class Belief:
    """What of a reading is believed: all since `covers_from`; None for nothing.

    `doubts` are sentences for people. If `silent_since` is set, nothing after it is believed any more, whatever was
    read of that time before.
    """

    covers_from: datetime | None
    doubts: list[str] = field(default_factory=list)
    silent_since: datetime | None = None


def judge(reading: ReadingFigures) -> Belief:
    """What of the reading is believed, and why not all of it."""
    doubts = [doubt for doubt in (rule(reading) for rule in RULES) if doubt]
    silent_since, lively_from = _silence(reading)
    if silent_since is not None:
        doubts.append(
            f"The log holds nothing since {silent_since:%-d %b %Y}, for {(reading.until - silent_since).days} days."
        )
    if doubts:
        return Belief(None, doubts, silent_since)
    if lively_from > reading.since:
        text = f"The log holds nothing for at least {JUDGED.days} days before {lively_from:%-d %b %Y}."
        return Belief(lively_from, [text])
    return Belief(reading.since)


def _unknown_actors(reading: ReadingFigures) -> str:
    for found in reading.portions:
        if found.unknown > UNKNOWN_SHARE * found.possible:
            return (
                f"{found.unknown:,} of {found.possible:,} possible events of members{found.when} are by actors of a "
                "kind that this version does not know; they may be somebody's use."
            )
    return ""


def _without_actor(reading: ReadingFigures) -> str:
    for found in reading.portions:
        if found.nameless > max(NAMELESS_SHARE * found.possible, FEW):
            return (
                f"{found.nameless:,} events{found.when} do not say who it was, beside {found.possible:,} possible "
                "events of members."
            )
    return ""


def _unreadable(reading: ReadingFigures) -> str:
    for found in reading.portions:
        if found.set_aside > UNKNOWN_SHARE * found.possible:
            return (
                f"{found.set_aside:,} of {found.possible:,} possible events of members{found.when} could not be read."
            )
    return ""


def _ends_before_devices(reading: ReadingFigures) -> str:
    end = max([reading.last_use or reading.since, *map(midnight_of_day, reading.days)])
    if reading.file_events is False or reading.last_session is None or reading.last_session - end <= SESSION_AHEAD:
        return ""
    return (
        f"The log ends on {end:%-d %b %Y %H:%M} (UTC), but a device was used on {reading.last_session:%-d %b %Y %H:%M}."
    )


def _fewer_than_before(reading: ReadingFigures) -> str:
    again = [day for day in reading.before if day >= reading.since.date()]
    before = sum(reading.before[day] for day in again)
    found = sum(reading.by_day.get(day, 0) for day in again)
    if before < FEW or found >= SAME_DAYS * before:
        return ""
    return f"The log holds {found:,} events of use on days for which it held {before:,} before."


def _too_thin(reading: ReadingFigures) -> str:
    """Over the whole reading, and over the last 14 days: far fewer events than members, or than there were before."""
    for since in (reading.since, reading.until - JUDGED):
        if reading.until - since < JUDGED or since < reading.since and not reading.before:
            continue
        members, found = reading.members_since(since), _events_between(reading, since, reading.until)
        periods = (reading.until - since) / JUDGED
        if members >= TEAM and found < THIN_PER_MEMBER * members * periods:
            return f"The log holds {found:,} events of use of {members:,} active members since {since:%-d %b %Y}."
    return _thinner_than_before(reading)


def _thinner_than_before(reading: ReadingFigures) -> str:
    since, earlier = reading.until - JUDGED, reading.until - 3 * JUDGED
    if not any(day <= earlier.date() for day in reading.days) or reading.members_since(since) < TEAM:
        return ""
    found, before = _events_between(reading, since, reading.until), _events_between(reading, earlier, since) / 2
    if found >= THIN_AGAINST_BEFORE * before:
        return ""
    return f"The log holds {found:,} events of use in the last 14 days, and about {before:,.0f} in 14 days before."


def _events_between(reading: ReadingFigures, since: datetime, until: datetime) -> int:
    return sum(events for day, events in reading.days.items() if since.date() <= day <= until.date())


def _silence(reading: ReadingFigures) -> tuple[datetime | None, datetime]:
    """From when on the log is silent until its end, or None; and from when on it is lively without a silence.

    A silence is 14 days or more without any use, in a team of 20 or more.
    """
    known = sorted(reading.days)
    earlier = [day for day in known if day < reading.since.date()]
    at = midnight_of_day(earlier[-1]) + DAY if earlier else reading.since
    lively_from = reading.since
    for day in known[len(earlier) :]:
        if _is_silence(reading, at, midnight_of_day(day)):
            lively_from = midnight_of_day(day) + DAY
        at = midnight_of_day(day) + DAY
    end = midnight_of_day(reading.next_use) if reading.next_use else reading.until
    return (at if _is_silence(reading, at, end) else None), lively_from


def _is_silence(reading: ReadingFigures, since: datetime, until: datetime) -> bool:
    return until - since >= JUDGED and reading.members_since(since) >= TEAM


RULES = (_unknown_actors, _without_actor, _unreadable, _ends_before_devices, _fewer_than_before, _too_thin)
