"""List pages in general: the URL says what is shown, and nothing it says can break the page."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from profiles.aliases.tables import AliasTable
from profiles.filters import ProfileFilter
from profiles.jobs.filters import RunFilter
from profiles.jobs.tables import RunTable
from profiles.models import ConnectionAlias, IntegrationProfile, JobRun
from profiles.tables import ProfileTable
from samsaas.lib import paging, sql, tables
from samsaas.lib.sql import Expected
from tests import factories

pytestmark = pytest.mark.django_db


def listing(query: str = "", model: Any = JobRun, table: Any = RunTable, filters: Any = RunFilter) -> dict[str, Any]:
    return tables.listing(RequestFactory().get(f"/list/?{query}"), model.objects.all(), table, filters)


@pytest.fixture
def runs() -> list[JobRun]:
    """Sixty runs of one profile; every third failed."""
    profile = factories.profile(display_name="Europe")
    return [factories.run(profile=profile, state="succeeded" if number % 3 else "failed") for number in range(60)]


def keys(context: dict[str, Any]) -> list[int]:
    return [row.record.pk for row in context["table"].paginated_rows]


@pytest.mark.parametrize(
    ("asked", "size"), [("", 50), ("25", 25), ("100", 100), ("26", 50), ("-25", 50), ("0", 50), ("25.0", 50), ("x", 50)]
)
def test_only_the_offered_page_sizes_are_served(runs: Any, asked: str, size: int) -> None:
    assert len(keys(listing(f"per_page={asked}"))) == min(size, 60)


@pytest.mark.parametrize(
    ("asked", "page", "told"),
    [
        ("1", 1, ""),
        ("3", 3, ""),
        ("4", 3, "no such page"),
        ("99999999999999999999", 3, "no such page"),
        ("-1", 3, "no such page"),
        ("two", 1, "not a number"),
        ("9" * 5000, 1, "not a number"),
        ("", 1, "not a number"),
    ],
)
def test_a_page_that_does_not_exist_leads_to_the_nearest_one_and_says_so(
    runs: Any, asked: str, page: int, told: str
) -> None:
    context = listing(f"per_page=25&page={asked}")
    assert context["table"].page.number == page
    assert told in " ".join(context["problems"]) and bool(context["problems"]) is bool(told)


def test_a_page_beyond_a_filtered_list_is_the_last_of_it(runs: Any) -> None:
    assert len(keys(listing("per_page=25&page=3&state=failed"))) == 20


def test_unknown_columns_are_left_out_of_the_order_and_the_known_one_counts(runs: Any) -> None:
    first = [run.pk for run in runs]
    assert keys(listing("sort=nonsense&per_page=100")) == first[::-1]
    assert keys(listing("sort=profile__alias__credentials__client_secret&per_page=100")) == first[::-1]
    assert keys(listing("sort=nonsense&sort=id&per_page=100")) == first
    assert keys(listing("sort=--id&per_page=100")) != []
    assert keys(listing("sort=trigger&per_page=100")) != []


def test_rows_that_are_equal_keep_one_order_in_both_directions(runs: Any) -> None:
    for sort in ("state", "-state", "profile_name", "items"):
        context = listing(f"sort={sort}&per_page=100")
        assert context["table"].data.data.query.order_by[-1].lstrip("-") in ("pk", "id"), sort


def test_a_table_without_an_order_of_its_own_keeps_that_of_its_model(db: None) -> None:
    for name in ("Zulu", "Alpha"):
        factories.profile(display_name=name)
        factories.profile(display_name=f"{name} child")
    shown = keys(listing(model=ConnectionAlias, table=AliasTable, filters=None))
    assert shown == list(ConnectionAlias.objects.order_by("vendor", "name").values_list("pk", flat=True))


def test_a_list_asks_for_its_rows_and_their_number_once(runs: Any) -> None:
    from django.db import connection  # noqa: PLC0415

    with CaptureQueriesContext(connection) as asked:
        context = tables.listing(RequestFactory().get("/list/"), JobRun.objects.all(), RunTable)
        assert len(keys(context)) == 50
    assert len(asked) == 2


def test_every_filter_has_a_chip_in_words_that_takes_it_off_and_goes_to_the_first_page(runs: Any) -> None:
    profile = IntegrationProfile.objects.get()
    context = listing(f"q=eur&profile={profile.pk}&state=failed&sort=-id&page=2&per_page=25")
    chips = {chip["label"]: chip for chip in context["chips"]}
    assert {label: chip["text"] for label, chip in chips.items()} == {
        "Search": "eur",
        "Profile": "Europe",
        "State": "Failed",
    }
    left = parse_qs(urlsplit(chips["State"]["url"]).query)
    assert left == {"q": ["eur"], "profile": [str(profile.pk)], "sort": ["-id"], "per_page": ["25"]}
    assert context["clear_url"] == "/list/"


def test_what_the_form_does_not_hold_travels_along_with_it(runs: Any) -> None:
    assert listing("sort=-id&per_page=25&page=2&q=x")["kept_parameters"] == [("sort", "-id"), ("per_page", "25")]
    assert listing("q=x")["kept_parameters"] == []


@pytest.mark.parametrize(
    ("query", "label"),
    [("state=exploded", "State"), ("profile=4711", "Profile"), ("q=%00", "Search"), ("q=" + "x" * 201, "Search")],
)
def test_a_filter_that_makes_no_sense_is_named_and_does_not_filter(runs: Any, query: str, label: str) -> None:
    context = listing(f"{query}&per_page=100")
    assert len(keys(context)) == 60 and not context["chips"]
    (problem,) = context["problems"]
    assert f"“{label}” was ignored" in problem


def test_a_problem_does_not_repeat_ten_kilobytes(runs: Any) -> None:
    assert len(" ".join(listing("state=" + "x" * 10_000)["problems"])) < 300


def test_a_run_is_found_by_its_number_with_or_without_a_hash(runs: Any) -> None:
    wanted = runs[30]
    assert wanted.pk in keys(listing(f"q=%23{wanted.pk}"))
    assert keys(listing(f"q={wanted.pk}"))[0] == wanted.pk
    assert keys(listing("q=" + "9" * 100)) == keys(listing("q=%D9%A3")) == []


def test_profiles_are_found_by_name_and_team(db: None) -> None:
    europe = factories.profile(display_name="Europe", team_name="Nordwind")
    factories.profile(display_name="Asia", status="draft")

    def found(query: str) -> list[int]:
        return keys(listing(query, IntegrationProfile, ProfileTable, ProfileFilter))

    assert found("q=euro") == found("q=NORDW") == found("status=published") == [europe.pk]
    assert len(found("")) == 2


@pytest.mark.parametrize(
    ("address", "table"),
    [
        ("/subscriptions/", "subscriptions_subscription"),
        ("/people/", "subscriptions_person"),
        ("/audit/", "samsaas_auditentry"),
        ("/runs/", "profiles_jobrun"),
    ],
)
def test_a_list_never_reads_all_its_rows_to_show_some(address: str, table: str, signed_in: Any, runs: Any) -> None:
    client = signed_in("admin")
    factories.person()
    factories.subscription()
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    listed = {
        "subscriptions": "subscriptions_subscription",
        "people": "subscriptions_person",
        "runs": "profiles_jobrun",
    }
    listed |= {"audit": "samsaas_auditentry", "integration-profiles": "profiles_integrationprofile"}
    of_list = f'SELECT "{listed[address.strip("/")]}"."id"'
    unbounded = [
        one["sql"]
        for one in asked.captured_queries
        if one["sql"].startswith(of_list) and " LIMIT " not in one["sql"] and '"id" IN (' not in one["sql"]
    ]
    assert unbounded == []


class TestLateCounts:
    """Rows are shown before they are counted, where that takes long."""

    @pytest.fixture(autouse=True)
    def counting_takes_long(self, monkeypatch: Any) -> None:
        self.too_long = {settings.COUNT_WITHIN}

        @contextmanager
        def given_up(seconds: float, walk: bool = False) -> Iterator[None]:
            if seconds in self.too_long:
                raise sql.TooLong
            yield

        monkeypatch.setattr(sql, "at_most", given_up)

    @pytest.fixture
    def page(self, signed_in: Any) -> Callable[..., str]:
        reader, profile = signed_in("sam_user"), factories.profile()
        kind = factories.identifier()
        for number in range(60):
            factories.subscription(profile=profile, identifier=kind, status="active" if number % 3 else "suspended")

        def ask(query: str = "", **headers: str) -> str:
            answer = reader.get(f"/subscriptions/?{query}", headers=headers)
            assert answer.status_code == 200
            return str(answer.content.decode())

        return ask

    def test_the_page_says_counting_and_asks_for_the_count_by_itself(self, page: Any) -> None:
        first = page("status=active&per_page=25")
        assert ">1–25 of <a" in first and "counting…</a>" in first and "page=2" in first
        (asked,) = re.findall(r'hx-get="([^"]*)"[^>]*hx-target="#row-count"', first.replace("\n", " "))
        counted = page(html.unescape(asked).lstrip("?"), **{"HX-Target": "row-count"})
        assert "data-row-count>1–25 of 40</span>" in counted and "counting…" not in counted

    @staticmethod
    def late(page: Any, query: str) -> str:
        """What arrives by itself after a page that went out before its rows were found."""
        first = " ".join(page(query).split())
        assert "Looking for the rows" in first and "<tbody" not in first and "Nothing matches" not in first
        assert "data-row-count" not in first and "Export" not in first
        (asked,) = re.findall(r'id="looking"[^>]*hx-get="[^"?]*[?]([^"]*)"', first)
        assert f'href="?{asked}&amp;counted=1"' in first, "without scripts one asks for them"
        return page(html.unescape(asked), **{"HX-Trigger": "looking", "HX-Target": "listing"})

    def test_the_last_page_and_those_after_it_are_found(self, page: Any) -> None:
        assert ">26–40 of <a" in page("status=active&per_page=25&page=2")
        for nowhere, told in (("3", "no such page"), ("0", "no such page"), ("x", "not a number")):
            beyond = self.late(page, f"status=active&per_page=25&page={nowhere}")
            assert told in beyond and "of 40<" in beyond

    def test_rows_too_rare_for_an_index_arrive_after_the_page_in_the_same_order(self, page: Any) -> None:
        opened = re.compile(r'<a href="(/subscriptions/\d+/)"')
        before = opened.findall(page("status=active&per_page=25&page=2"))
        self.too_long.add(paging.KEYS_WITHIN)
        after = self.late(page, "status=active&per_page=25&page=2")
        assert "data-row-count>26–40 of 40<" in after
        assert opened.findall(after) == before and len(before) == 15

    def test_an_order_that_is_too_long_to_sort_is_refused_with_the_rows_if_at_all(
        self, page: Any, monkeypatch: Any
    ) -> None:
        self.too_long.add(paging.KEYS_WITHIN)
        assert "is sorted by" not in page("sort=assigned_at")
        assert "is sorted by" not in self.late(page, "sort=assigned_at"), "they turn out to be few"

    def test_a_list_whose_rows_arrive_late_is_not_taken_for_an_empty_one(self, signed_in: Any) -> None:
        self.too_long.add(paging.KEYS_WITHIN)
        admin = signed_in("sam_admin")
        for address in ("/subscriptions/", "/people/"):
            first = admin.get(address).content.decode()
            assert "Looking for the rows" in first and 'class="filters"' in first, address

    def test_an_empty_list_is_counted_and_says_that_nothing_matches(self, page: Any) -> None:
        assert "Clear the filters" in page("status=invited")

    def test_without_scripts_the_link_asks_for_the_count(self, page: Any) -> None:
        assert "data-row-count>1–50 of 60<" in page("counted=1")

    def test_a_search_with_many_hits_shows_the_first_of_them_before_it_counts_up_to_its_bound(
        self, page: Any, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(paging, "MOST_FOUND", 40)
        first = page("q=example&per_page=25")
        assert ">1–25 of <a" in first and "counting…</a>" in first and "more than" not in first
        counted = page("q=example&per_page=25", **{"HX-Target": "row-count"})
        assert "data-row-count>1–25 of more than 40</span>" in counted and "Narrow the search" in counted

    def test_what_is_sure_to_take_long_is_not_even_counted(self, page: Any, monkeypatch: Any) -> None:
        self.too_long.clear()
        assert "counting…" not in page("status=active&per_page=25")
        monkeypatch.setattr(sql, "expect", lambda ask: Expected(paging.COSTLY + 1, paging.MOST_FOUND + 1))
        assert ">1–25 of <a" in page("status=active&per_page=25")

    def test_a_whole_index_is_counted_after_the_page_unless_it_takes_no_time(self, page: Any, monkeypatch: Any) -> None:
        self.too_long.clear()
        monkeypatch.setattr(sql, "expect", lambda ask: Expected(paging.MANY + 1, paging.MOST_FOUND + 1))
        assert "data-row-count>1–25 of 40<" in page("status=active&per_page=25")
        self.too_long.add(paging.MANY_WITHIN)
        assert ">1–25 of <a" in page("status=active&per_page=25")
        monkeypatch.setattr(sql, "expect", lambda ask: Expected(paging.MANY, paging.MOST_FOUND + 1))
        assert "data-row-count>1–25 of 40<" in page("status=active&per_page=25")

    def test_few_rows_are_read_at_once_which_counts_them(self, page: Any, monkeypatch: Any) -> None:
        opened = re.compile(r'<a href="(/subscriptions/\d+/)"')
        before = opened.findall(page("status=active&per_page=25&page=2"))
        self.too_long.clear()
        monkeypatch.setattr(sql, "expect", lambda ask: Expected(paging.COSTLY + 1, 40))
        after = page("status=active&per_page=25&page=2")
        assert "data-row-count>26–40 of 40<" in after and opened.findall(after) == before
        monkeypatch.setattr(paging, "MOST_FOUND", 39)
        monkeypatch.setattr(sql, "expect", lambda ask: Expected(paging.COSTLY + 1, 39))
        assert ">26–40 of <a" in page("status=active&per_page=25&page=2"), "they are more than expected"
        assert "data-row-count>26–40 of 40<" in page("status=active&per_page=25&page=2&counted=1")

    def test_few_rows_that_take_long_to_read_arrive_after_the_page(self, page: Any, monkeypatch: Any) -> None:
        self.too_long.clear()
        monkeypatch.setattr(sql, "expect", lambda ask: Expected(paging.COSTLY + 1, 40))
        monkeypatch.setattr(paging.Pages, "_find_few", lambda self, rows: given_up() if not self.patient else None)
        assert "data-row-count>26–40 of 40<" in self.late(page, "status=active&per_page=25&page=2")

    def test_a_search_with_few_hits_in_a_long_list_finds_them_after_the_page(self, page: Any) -> None:
        self.too_long.add(paging.HITS_WITHIN)
        assert "data-row-count>51–60 of 60<" in self.late(page, "q=example&page=2")


def given_up() -> None:
    raise sql.TooLong
