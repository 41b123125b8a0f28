"""Last activity on the pages: bands, days of inactivity, the drawing of days, and never calling a gap inactive."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from profiles import connectors
from subscriptions.activity import by_day as daily_activity, last_used
from subscriptions.models import ActivityDay, LastActivity
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LIST = "/subscriptions/"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
START = NOW - timedelta(days=200)


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def world() -> SimpleNamespace:
    """Three profiles with one software model: all time read; a gap of a week 20 days ago; nothing read at all."""
    kind = factories.identifier(identifier="full", software_model=factories.software_model(edition="Full"))
    read, broken, blind = (
        factories.profile(display_name=name, analyze_activity_from=START) for name in ("Read", "Broken", "Blind")
    )
    factories.coverage(read, START, NOW - timedelta(hours=2))
    factories.coverage(broken, START, days_ago(27))
    factories.coverage(broken, days_ago(20), NOW - timedelta(hours=2))

    def seat(name: str, profile: Any, last: float | None = None, **fields: Any) -> Any:
        made = factories.subscription(display_name=name, profile=profile, identifier=kind, **fields)
        if last is not None:
            factories.activity(made, days_ago(last))
        return made

    seats = {
        "ada": seat("ada", read, 0.1),
        "bob": seat("bob", read, 1),
        "cid": seat("cid", read, 7),
        "dot": seat("dot", read, 8),
        "eve": seat("eve", read, 60),
        "fay": seat("fay", read, 61),
        "gus": seat("gus", read, 91),
        "hal": seat("hal", read, assigned_at=START - timedelta(days=9)),
        "ida": seat("ida", broken, 3),
        "jon": seat("jon", broken, 91),
        "kay": seat("kay", broken, assigned_at=START),
        "lea": seat("lea", broken, assigned_at=days_ago(10)),
        "max": seat("max", blind, 5),
        "nia": seat("nia", blind),
    }
    seat("old", read, 5, ended_at=NOW)
    seat("out", read, 5, excluded=True)
    return SimpleNamespace(read=read, broken=broken, blind=blind, model=kind.software_model, kind=kind, seats=seats)


def shown(answer: Any) -> list[str]:
    links = re.findall(r'<a[^>]*href="/subscriptions/\d+/"[^>]*>(.*?)</a>', answer.content.decode())
    return [re.sub("<[^>]*>", "", link) for link in links]


BANDS = {
    "today": "ada",
    "week": "bob cid ida max",
    "month": "dot",
    "two_months": "eve",
    "three_months": "fay",
    "older": "gus jon",
    "none": "hal kay lea",
    "uncovered": "nia",
}


def test_every_band_is_a_filter_and_together_they_hold_every_current_seat_once(reader: Any, world: Any) -> None:
    found = {key: " ".join(shown(reader.get(f"{LIST}?activity={key}"))) for key in last_used.LABELS}
    assert found == BANDS
    assert sorted(" ".join(found.values()).split()) == sorted(world.seats)


def test_the_chart_of_a_model_counts_what_its_bars_lead_to(reader: Any, world: Any) -> None:
    page = reader.get(world.model.get_absolute_url()).content.decode()
    chart = pages.rows(page, "Last activity")
    counted = {name: int(cells[-1]) for name, cells in chart.items()}
    assert sum(counted.values()) == 14
    assert counted["Today"] == 1 and counted["Not covered"] == 1 and counted["Never active"] == 3
    to_bands = {url: number for url, number in pages.figures(page).items() if "activity=" in url}
    assert len(to_bands) == len(BANDS) + 2, "every bar, and the two with gaps"
    for url, number in to_bands.items():
        assert pages.rows_behind(reader, url) == number, url


def test_a_seat_whose_time_since_was_not_read_is_drawn_hatched_and_never_called_inactive(
    reader: Any, world: Any
) -> None:
    page = reader.get(world.model.get_absolute_url()).content.decode()
    older = page.split("More than 90 days ago")[1].split("</tr>")[0]
    assert "1</a> of them not covered since" in older and 'fill="url(#hatch)"' in older
    today = re.split(r">\s*Today", page)[1].split("</tr>")[0]
    assert "not covered" not in today and "hatch" not in today
    assert shown(reader.get(f"{LIST}?activity=older&coverage=gap")) == ["jon"]
    listed = pages.rows(reader.get(LIST).content.decode(), "Display name")
    assert listed["jon"][-2:] == ["25 Aug 2026", "≥ 20"], "since the gap it was read, and that is a fact"
    assert listed["gus"][-2:] == ["25 Aug 2026", "91"]


def test_what_hatched_means_is_said_only_where_something_is_hatched(reader: Any, world: Any) -> None:
    assert "Hatched:" in reader.get(world.model.get_absolute_url()).content.decode()
    for profile in (world.broken, world.blind):
        profile.delete()
    page = reader.get(world.model.get_absolute_url()).content.decode()
    assert "Today" in page and "Hatched:" not in page


def test_days_without_use_are_exact_or_the_least_that_is_sure_or_not_known(reader: Any, world: Any) -> None:
    listed = pages.rows(reader.get(f"{LIST}?seats=all").content.decode(), "Display name")
    assert listed["ada"][-2:] == ["24 Nov 2026", "0"] and listed["cid"][-1] == "7"
    assert listed["ida"][-1] == "3", "the gap lies before its last activity"
    assert listed["hal"][-2:] == ["None since 8 May", "≥ 200"]
    assert listed["kay"][-2:] == ["None since 4 Nov", "≥ 20"], "the gap ended 20 days ago"
    assert listed["lea"][-2:] == ["None since 14 Nov", "10"], "assigned after the gap, so these are all its days"
    assert listed["nia"][-2:] == ["Not covered", "Unknown"]
    assert listed["max"][-1] == "Unknown" and listed["old"][-1] == "–"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gus", "Inactive days 91 All the time since then was read."),
        ("hal", "Inactive days ≥ 200 None since 8 May 2026 (at least 200 days). The log was read without a gap only"),
        (
            "jon",
            "Inactive days ≥ 20 None since 4 Nov 2026 (at least 20 days). The log was read without a gap only",
        ),
        ("lea", "Inactive days 10 None since it was assigned on 14 Nov 2026 (10 days)."),
        ("nia", "Inactive days Unknown The log of its team has not been read to a believable end yet."),
    ],
)
def test_the_page_of_a_seat_says_what_its_days_rest_on(reader: Any, world: Any, name: str, sentence: str) -> None:
    assert sentence in pages.text_of(reader.get(world.seats[name].get_absolute_url()).content.decode())


def test_a_pull_that_stopped_two_days_ago_makes_everything_since_unknown(reader: Any, world: Any) -> None:
    world.read.coverage.update(until=NOW - timedelta(hours=49))
    listed = pages.rows(reader.get(LIST).content.decode(), "Display name")
    assert listed["gus"][-1] == "Unknown" and listed["hal"][-2] == "Not covered"
    said = pages.text_of(reader.get(world.seats["hal"].get_absolute_url()).content.decode())
    assert "The log was last read until 22 Nov 2026, 09:00." in said


def test_whoever_was_never_active_sorts_by_the_days_that_are_sure_and_unknown_last(reader: Any, world: Any) -> None:
    def order(sort: str) -> list[str]:
        return shown(reader.get(f"{LIST}?sort={sort}&profile={world.read.pk}"))

    assert order("last_activity") == ["gus", "fay", "eve", "dot", "cid", "bob", "ada", "hal"]
    assert order("-last_activity") == ["ada", "bob", "cid", "dot", "eve", "fay", "gus", "hal"]
    assert order("inactive_days") == ["ada", "bob", "cid", "dot", "eve", "fay", "gus", "hal"]
    assert order("-inactive_days") == ["hal", "gus", "fay", "eve", "dot", "cid", "bob", "ada"]
    everybody = shown(reader.get(f"{LIST}?sort=-inactive_days"))
    assert everybody[:4] == ["hal", "kay", "gus", "fay"], "no activity in all that was read is more than any number"
    assert everybody.index("lea") > everybody.index("fay"), "assigned within that time: 10 days, and no more"
    assert set(everybody[-2:]) == {"max", "nia"}, "what is not known is apart"
    least = shown(reader.get(f"{LIST}?sort=inactive_days"))
    assert least[0] == "ada" and set(least[-4:-2]) == {"hal", "kay"} and set(least[-2:]) == {"max", "nia"}


def test_any_number_of_idle_days_is_a_filter(reader: Any, world: Any) -> None:
    def found(query: str) -> set[str]:
        return set(shown(reader.get(f"{LIST}?{query}")))

    assert found("idle_days=91") == {"hal", "gus"}, (
        "who was never seen is surely unused for the 200 days that were read"
    )
    assert found("idle_days=92") == {"hal"}
    assert {"kay", "jon"} <= found("idle_days=20") and not {"kay", "jon"} & found("idle_days=21")
    assert not {"max", "nia"} & found("idle_days=1"), "what is not known is not idle"
    assert "Idle for days: <strong><bdi>92" in reader.get(f"{LIST}?idle_days=92").content.decode()
    for odd in ("0", "-3", "1.5", "10000", "9" * 400, "x"):
        assert "The filter “Idle for days” was ignored" in reader.get(f"{LIST}?idle_days={odd}").content.decode()


def test_a_day_is_one_of_the_installations_zone(settings: Any) -> None:
    with timezone.override("Europe/Berlin"):
        shortly_before_midnight = datetime(2026, 11, 23, 22, 59, tzinfo=UTC)
        assert last_used.inactive_days(shortly_before_midnight, NOW) == 1
        assert last_used.inactive_days(shortly_before_midnight + timedelta(minutes=1), NOW) == 0
        after_the_clocks_went_back = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)
        assert last_used.midnight(after_the_clocks_went_back, 0) == datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
        assert last_used.midnight(after_the_clocks_went_back, 1) == datetime(2026, 10, 23, 22, 0, tzinfo=UTC)
    assert last_used.inactive_days(NOW + timedelta(days=3), NOW) == 0, "the vendor's clock is ahead"


def test_seats_are_found_with_and_without_user_and_by_user(reader: Any, world: Any) -> None:
    person = factories.person(name="Ada Lovelace")
    factories.match(world.seats["ada"], person)
    factories.match(world.seats["max"], person)
    assert shown(reader.get(f"{LIST}?user=with")) == ["ada", "max"]
    assert len(shown(reader.get(f"{LIST}?user=without"))) == 12
    answer = reader.get(f"{LIST}?person={person.pk}")
    assert shown(answer) == ["ada", "max"]
    assert "User: <strong><bdi>Ada Lovelace" in answer.content.decode(), "a chip names the person"
    assert f'href="{person.get_absolute_url()}"' in answer.content.decode()
    for sort in ("user", "-user"):
        assert shown(reader.get(f"{LIST}?sort={sort}"))[:2] == ["ada", "max"], "seats without user come last"


def test_the_export_says_what_the_list_says(reader: Any, world: Any) -> None:
    factories.match(world.seats["gus"], factories.person(name="Gus"))
    text = reader.get(f"{LIST}export/?seats=all").getvalue().decode("utf-8-sig")
    rows = {row["Display name"]: row for row in csv.DictReader(io.StringIO(text))}
    gus = rows["gus"]
    assert (gus["User"], gus["Last activity (UTC)"], gus["Inactive days"]) == ("Gus", "2026-08-25 10:00:00", "91")
    assert gus["Inactive days are"] == "exactly"
    assert rows["jon"]["Last activity (UTC)"]
    assert (rows["jon"]["Inactive days"], rows["jon"]["Inactive days are"]) == ("20", "at least")
    assert rows["hal"]["Last activity (UTC)"] == "" and rows["hal"]["Inactive days"] == "200"
    assert rows["nia"]["Inactive days"] == rows["nia"]["Inactive days are"] == ""
    known = {name: row["Activity coverage"] for name, row in rows.items()}
    assert (known["gus"], known["old"]) == ("Covered", "Ended")
    assert known["jon"] == "Covered since 2026-11-04" and known["nia"] == known["max"] == "Not covered"
    assert rows["out"]["Excluded"] == "yes" and rows["out"]["Uses a license"] == "no"


def test_the_page_of_a_seat_tells_its_latest_activity_with_signal_and_run(reader: Any, world: Any) -> None:
    run = factories.run(profile=world.read, process="pull_activity")
    seat = world.seats["dot"]
    LastActivity.objects.filter(subscription=seat).update(kind="file_edit", signal="session", run=run)
    page = reader.get(seat.get_absolute_url()).content.decode()
    said = pages.text_of(page)
    assert "file_edit , device session, read by run #" in said and run.get_absolute_url() in page
    assert "Inactive days 8" in said
    assert 'href="/what-counts-as-use/#dropbox"' in page
    unknown = pages.text_of(reader.get(world.seats["jon"].get_absolute_url()).content.decode())
    assert "Inactive days ≥ 20 None since" in unknown


def days_of(seat: Any, counts: dict[int, int]) -> None:
    """Events so many days ago."""
    today = NOW.date()
    ActivityDay.objects.bulk_create(
        ActivityDay(subscription=seat, day=today - timedelta(days=ago), events=events, pull=1)
        for ago, events in counts.items()
    )


def test_days_without_coverage_are_hatched_and_not_known_and_never_zero(reader: Any, world: Any) -> None:
    seat = world.seats["ida"]
    days_of(seat, {0: 2, 3: 5, 25: 1, 40: 7, 90: 100})
    page = reader.get(seat.get_absolute_url()).content.decode()
    table = pages.rows(page, "Day (UTC)")
    assert table["24 Nov 2026"] == ["2", "Read; late events may be missing"]
    assert table["22 Nov 2026 to 23 Nov 2026"] == ["0", "Read; late events may be missing"], "for three days"
    assert table["21 Nov 2026"] == ["5", "Read; late events may be missing"]
    assert table["5 Nov 2026 to 20 Nov 2026"] == ["0", "Fully read"]
    assert table["31 Oct 2026 to 4 Nov 2026"][0] == "not known"
    assert table["30 Oct 2026"] == ["1", "Not, or not fully, read"]
    assert table["28 Oct 2026 to 29 Oct 2026"][0] == "not known"
    assert "100" not in [cells[0] for cells in table.values()], "only the last 90 days are drawn"
    figure = page.split('class="days"')[1].split("</figure>")[0]
    assert figure.count('fill="url(#hatch)" x=') == 8
    assert figure.count('class="day ') == 4
    assert "15 on 4 of 90 days; 8 days are not known" in figure


def test_without_any_coverage_all_days_are_unknown(reader: Any, world: Any) -> None:
    page = reader.get(world.seats["nia"].get_absolute_url()).content.decode()
    assert pages.rows(page, "Day (UTC)") == {"27 Aug 2026 to 24 Nov 2026": ["not known", "Not, or not fully, read"]}


def test_the_lines_of_the_table_hold_every_day_once(world: Any) -> None:
    seat = world.seats["ida"]
    days_of(seat, {1: 1, 2: 1, 30: 4, 89: 2})
    lines = daily_activity.chart_for_seat(seat, NOW)["lines"]
    held = [line.since + timedelta(days=n) for line in lines for n in range((line.until - line.since).days + 1)]
    assert sorted(held) == [date(2026, 8, 27) + timedelta(days=n) for n in range(90)]
    assert sum(line.events for line in lines) == 8


def test_the_list_and_a_seat_cost_the_same_with_much_activity(reader: Any, world: Any) -> None:
    paths = (LIST, world.model.get_absolute_url(), world.seats["ada"].get_absolute_url(), f"{LIST}export/")
    one = [pages.cost(reader, path) for path in paths]
    for number in range(30):
        seat = factories.subscription(identifier=world.kind)
        factories.activity(seat, days_ago(number))
        factories.coverage(seat.profile, days_ago(number + 1), days_ago(0.1))
        factories.match(seat, factories.person())
    days_of(world.seats["ada"], dict.fromkeys(range(60), 3))
    assert [pages.cost(reader, path) for path in paths] == one


def test_what_counts_as_use_gives_every_class_with_its_reason(reader: Any, world: Any) -> None:
    world.read.file_events = False
    world.read.save()
    page = reader.get("/what-counts-as-use/").content.decode().replace("<wbr>", "")
    table = pages.rows(page, "Activity")
    types = connectors.vendor("dropbox").activity_types
    assert types and len(table) == len(types)
    for kind in types:
        assert table[kind.label][0] == ("Yes" if kind.counts else "No")
        assert all(example in page for example in kind.examples)
    assert pages.rows(page, "Profile")["Read"][1] == "Not in this plan"


@pytest.mark.parametrize("name", ["user", "activity", "coverage", "person", "identifier", "address"])
def test_nonsense_in_a_filter_gives_a_page(reader: Any, world: Any, name: str) -> None:
    for value in worlds.NASTY.values():
        answer = reader.get(f"{LIST}?{name}={value}")
        assert answer.status_code == 200, value[:100]
