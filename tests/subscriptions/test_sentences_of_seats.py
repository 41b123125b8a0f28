"""What the page of a seat says of its use, sentence by sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from profiles.models import JobRun
from subscriptions.activity.by_day import FRESH, GAP, KNOWN, Day, TableLine
from subscriptions.matching.suggest import Suggestion
from subscriptions.models import LastActivity
from subscriptions.templatetags import seats
from subscriptions.templatetags.coverage import run_covers
from tests import pages

pytestmark = pytest.mark.one_database

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
DAY = date(2026, 11, 3)
USED = LastActivity(at=NOW - timedelta(days=1234), kind="sign_in <b>")


def a_seat(**known: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"excluded": False, "ended_at": None} | known)


def test_the_latest_activity_names_its_signal_and_the_run_that_read_it() -> None:
    assert seats.read_how(USED) == "<code><bdi>sign_in &lt;b&gt;</bdi></code>, audit event"
    read = LastActivity(kind="sign_in", signal="session", run=JobRun(pk=7))
    assert seats.read_how(read) == (
        '<code><bdi>sign_in</bdi></code>, device session, read by <a href="/runs/7/">run #7</a>'
    )


@pytest.mark.parametrize(
    ("seat", "why"),
    [
        (a_seat(excluded=True, ended_at=NOW), "the subscription is excluded by a rule."),
        (a_seat(ended_at=NOW), "the subscription has ended."),
        (a_seat(), "no resolution rule leads to exactly one person."),
    ],
)
def test_a_seat_without_user_says_why(seat: Any, why: str) -> None:
    assert seats.no_user(seat) == why


@pytest.mark.parametrize(
    ("held", "here", "words"),
    [
        (0, False, "holds no subscription"),
        (1, False, "holds 1 subscription"),
        (1200, True, "holds 1,200 subscriptions, <strong>one in this profile already</strong>"),
    ],
)
def test_a_suggested_person_says_how_many_seats_they_hold(held: int, here: bool, words: str) -> None:
    person: Any = SimpleNamespace(seats=held)
    assert seats.holds(Suggestion(person, "Same name", here)) == words


@pytest.mark.parametrize(
    ("events", "state", "words"),
    [
        (1500, KNOWN, "3 Nov 2026: 1,500"),
        (2, FRESH, "3 Nov 2026: 2"),
        (2, GAP, "3 Nov 2026: 2, not the whole day was read"),
        (0, KNOWN, "3 Nov 2026: no activity"),
        (0, FRESH, "3 Nov 2026: nothing seen yet"),
        (0, GAP, "3 Nov 2026: not known"),
    ],
)
def test_a_day_without_events_is_quiet_only_where_it_was_read(events: int, state: str, words: str) -> None:
    assert seats.day_in_words(Day(DAY, events, state)) == words


@pytest.mark.parametrize(
    ("state", "events", "number", "read"),
    [
        (KNOWN, 0, "0", "Fully read"),
        (FRESH, 0, "0", "Read; late events may be missing"),
        (GAP, 0, "not known", "Not, or not fully, read"),
        (GAP, 4, "4", "Not, or not fully, read"),
    ],
)
def test_a_line_of_the_table_says_how_far_it_was_read(state: str, events: int, number: str, read: str) -> None:
    line = TableLine(DAY, DAY, events, state)
    assert (seats.line_events(line), seats.line_read(line)) == (number, read)


def test_a_line_names_one_day_or_a_stretch_of_them() -> None:
    assert seats.line_days(TableLine(DAY, DAY, 1, KNOWN)) == "3 Nov 2026"
    assert seats.line_days(TableLine(DAY, date(2026, 12, 1), 0, KNOWN)) == "3 Nov 2026 to 1 Dec 2026"


def test_the_drawing_is_told_to_who_cannot_see_it() -> None:
    daily = {"since": DAY, "until": date(2026, 12, 1), "bars": [None] * 29, "gap_days": 1}
    busy = daily | {"events": 1200, "active_days": 1, "most": 1200}
    assert seats.days_in_words(busy) == (
        "Activity per day from 3 Nov 2026 to 1 Dec 2026: 1,200 on 1 of 29 days; 1 days are not known. "
        "The table below says the same."
    )
    assert pages.text_of(seats.days_seen(busy)) == "1 active day, at most 1,200 a day"
    assert seats.days_seen(busy | {"active_days": 2}) == "2 active days, at most 1,200 a day"
    assert seats.days_seen(daily | {"events": 0}) == "No activity seen"
    assert (seats.days_unknown(daily), seats.days_unknown({"gap_days": 8})) == ("1 day not known", "8 days not known")


def test_only_a_pull_that_came_to_its_end_covers_time() -> None:
    assert run_covers(JobRun(state="succeeded")).startswith("This time was read to its end and is covered.")
    assert run_covers(JobRun(state="failed")).startswith("This time is not covered:")
