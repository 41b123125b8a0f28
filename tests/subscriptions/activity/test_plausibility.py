"""Which readings of the log are believed: a log that ends too early is no proof that nobody worked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from subscriptions.activity.coverage.plausibility import Portion, ReadingFigures, judge

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def days(first: int, last: int, events: int = 100) -> dict[date, int]:
    """Days with use, from `first` to `last` days ago."""
    return {(NOW - ago * DAY).date(): events for ago in range(last, first + 1)}


def figures(reach: float = 60, *, members: int = 50, **given: Any) -> ReadingFigures:
    """A lively reading of so many days, in which 50 people do 100 things a day."""
    values: dict[str, Any] = {
        "since": datetime.combine((NOW - reach * DAY).date(), datetime.min.time(), UTC),
        "until": NOW,
        "read": 6000,
        "unknown": 0,
        "nameless": 0,
        "set_aside": 0,
        "by_day": days(int(reach), 0),
        "before": {},
        "last_use": NOW - timedelta(hours=3),
        "last_session": None,
        "file_events": True,
        "members_since": lambda moment: members,
        **given,
    }
    return ReadingFigures(**values)


def latest(**given: int) -> Portion:
    """The end of a long reading: 72 hours in which members do 400 things."""
    return Portion(**{"use": 400, "not_use": 0, "unknown": 0, "nameless": 0, "set_aside": 0, **given}, when=" at last")


def is_believed(reading: ReadingFigures) -> bool:
    belief = judge(reading)
    assert bool(belief.doubts) == (belief.covers_from != reading.since), "what is not covered is said"
    return belief.covers_from == reading.since


@pytest.mark.parametrize(
    "reading",
    [
        figures(),
        figures(3, before=days(60, 2)),
        figures(by_day=days(60, 4)),
        figures(by_day=days(60, 13), last_use=NOW - 12 * DAY),
        figures(3, by_day={}, before=days(60, 4), last_use=None),
        figures(members=19, by_day={}, last_use=None),
        figures(members=3, by_day=days(60, 30, 1), last_use=NOW - 30 * DAY),
        figures(unknown=60),
        figures(set_aside=60),
        figures(nameless=600),
        figures(last_session=NOW - timedelta(hours=1)),
        figures(by_day=days(60, 4), last_use=NOW - 4 * DAY, last_session=NOW - timedelta(days=3, hours=1)),
        figures(by_day=days(60, 4), last_use=NOW - 4 * DAY, last_session=NOW, file_events=False),
        figures(3, before=days(60, 0, 110)),
        figures(3, members=3, by_day={}, before=days(3, 1, 6), last_use=None),
        figures(1, by_day=days(1, 0, 10), nameless=20),
        figures(by_day=days(60, 0, 5), not_use=20_000, unknown=200, set_aside=200),
        figures(latest=latest(unknown=4, set_aside=4, nameless=40)),
        figures(latest=latest(use=0)),
        figures(by_day={**days(60, 0), date(1, 1, 1): 1, date(2026, 9, 1): 1}),
    ],
    ids=(
        "lively",
        "the daily one",
        "a weekend",
        "a holiday of 12 days",
        "a quiet weekend, read daily",
        "a small team that does nothing",
        "a tiny team that stopped",
        "one in a hundred by unknown actors",
        "one in a hundred unreadable",
        "one in ten without an actor",
        "a device just now",
        "a device the day after",
        "a device where no file events are recorded",
        "a few events less on days read again",
        "fewer than twenty events that are gone",
        "twenty without an actor",
        "a hundredth of what members do, most of it no use",
        "a few unclear ones lately",
        "nothing unclear lately",
        "events of a time that was not asked for",
    ),
)
def test_a_log_that_can_be_true_is_believed(reading: ReadingFigures) -> None:
    assert is_believed(reading)


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (figures(by_day={}, read=0, last_use=None), "0 events of use of 50 active members"),
        (figures(by_day={}, read=0, last_use=None), "holds nothing since 25 Sep 2026"),
        (figures(by_day=days(60, 15), last_use=NOW - 15 * DAY), "holds nothing since 10 Nov 2026, for 14 days"),
        (figures(by_day=days(60, 0, 1), members=500), "61 events of use of 500 active members"),
        (figures(3, by_day=days(3, 1), before=days(60, 0, 120)), "on days for which it held"),
        (figures(3, before={**days(60, 1), NOW.date(): 300}), "holds 400 events of use on days for which it held 600"),
        (figures(3, by_day={}, before=days(3, 1, 10)), "holds 0 events of use on days for which it held 30 before"),
        (
            figures(0, by_day=days(0, 0, 5), before=days(60, 0, 30)),
            "holds 5 events of use on days for which it held 30",
        ),
        (figures(14, by_day=days(14, 0, 4), before=days(60, 15)), "in the last 14 days, and about"),
        (
            figures(unknown=62),
            "62 of 6,162 possible events of members are by actors of a kind that this version does not",
        ),
        (figures(1, by_day=days(1, 0, 20), unknown=1), "1 of 41 possible events of members are by actors"),
        (figures(set_aside=62), "62 of 6,162 possible events of members could not be read"),
        (figures(nameless=611), "611 events do not say who it was, beside 6,100 possible events of members"),
        (figures(latest=latest(unknown=5)), "5 of 405 possible events of members at last are by actors of a kind"),
        (figures(latest=latest(set_aside=5)), "5 of 405 possible events of members at last could not be read"),
        (figures(latest=latest(use=0, set_aside=900)), "900 of 900 possible events of members at last could not be"),
        (figures(latest=latest(nameless=41)), "41 events at last do not say who it was"),
        (
            figures(by_day=days(60, 4), last_use=NOW - 4 * DAY, last_session=NOW - 2 * DAY),
            "The log ends on 20 Nov 2026 02:30 (UTC), but a device was used on 22 Nov 2026 02:30",
        ),
        (figures(members=2, by_day={}, last_use=None, last_session=NOW), "but a device was used"),
    ],
)
def test_a_log_that_is_too_good_is_not_believed_and_says_why(reading: ReadingFigures, said: str) -> None:
    assert not is_believed(reading)
    assert any(said in doubt for doubt in judge(reading).doubts), judge(reading).doubts


@pytest.mark.parametrize("what", ["unknown", "set_aside", "nameless"])
@pytest.mark.parametrize("others", [10_000, 1_000_000])
def test_what_apps_and_the_vendor_do_does_not_hide_events_that_may_be_of_members(what: str, others: int) -> None:
    """They say nothing about members, however many they are."""
    assert is_believed(figures(read=others, by_day=days(60, 0, 3)))
    reading = figures(read=others, by_day=days(60, 0, 3), **{what: 90})
    assert not is_believed(reading) and judge(reading).covers_from is None


@pytest.mark.parametrize("stray", [date(1, 1, 1), date(2000, 1, 1), date(2026, 9, 24)])
def test_an_event_from_before_the_reading_breaks_no_silence_at_its_beginning(stray: date) -> None:
    silent = figures(by_day=days(20, 0))
    assert judge(figures(by_day={**days(20, 0), stray: 1})).covers_from == judge(silent).covers_from
    assert judge(silent).covers_from == datetime(2026, 11, 5, tzinfo=UTC)


@pytest.mark.parametrize("held_before", [16, 0], ids=["nothing either", "something"])
def test_after_a_long_silence_nothing_since_is_believed_any_more(held_before: int) -> None:
    """The daily readings of a fortnight each covered their day; together they are too quiet to be true.

    What they held of days that hold nothing any more does not break the silence.
    """
    reading = figures(15, by_day={}, before=days(60, held_before), last_use=None)
    assert judge(reading).silent_since == datetime(2026, 11, 9, tzinfo=UTC)


def test_before_a_silence_within_the_log_nothing_is_believed_and_after_it_all_is() -> None:
    """As if the vendor began its answer too late."""
    belief = judge(figures(by_day=days(20, 0), last_use=NOW))
    assert belief.covers_from == datetime(2026, 11, 5, tzinfo=UTC) and "14 days before 5 Nov 2026" in belief.doubts[0]
    assert belief.silent_since is None


def test_a_team_that_joined_only_now_was_not_silent_before() -> None:
    joined = NOW - 10 * DAY
    reading = figures(by_day=days(9, 0), members_since=lambda moment: 50 if moment > joined else 0)
    assert is_believed(reading)
