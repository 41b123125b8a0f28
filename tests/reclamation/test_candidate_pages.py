"""The list of removal candidates, its export, one candidate, and closing one as skipped."""

from __future__ import annotations

import csv
import io
import re
from types import SimpleNamespace
from typing import Any

import pytest

from reclamation.models import RemovalCandidate
from reclamation.states import State
from reclamation.tables import CandidateTable
from samsaas.lib import paging
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
LIST, EXPORT = "/removal-candidates/", "/removal-candidates/export/"


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def manager(signed_in: Any) -> Any:
    return signed_in("sam_admin")


@pytest.fixture
def world(reader: Any, manager: Any) -> SimpleNamespace:
    """Two profiles; three open candidates and two closed ones."""
    rule = factories.rule()
    europe, asia = factories.profile(display_name="Europe"), factories.profile(display_name="Asia")

    def one(name: str, profile: Any = europe, **fields: Any) -> RemovalCandidate:
        seat = factories.subscription(profile=profile, display_name=name, email=f"{name}@one.example")
        return factories.candidate(seat, **fields)

    rows = {
        "ada": one("ada", reason="idle", rule=rule, is_leaver=True),
        "bob": one("bob", asia, justification="unlicensed", reason="manual", assigned_to=reader.user),
        "cid": one("cid", asia, state=State.ATTENTION_REQUIRED, reason="manual", hold="switch"),
        "dot": one("dot", state=State.CLOSED_SKIPPED, assigned_to=manager.user),
        "eve": one("eve", asia, state=State.CLOSED_COMPLETE, justification="unlicensed"),
    }
    return SimpleNamespace(
        europe=europe, asia=asia, rows=rows, rule=rule, number=rows["bob"].number, key=rows["bob"].pk
    )


def exported(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"), newline="")))


FILTERS = [
    ("", "ada bob cid"),
    ("state=ready", "ada bob"),
    ("state=closed", "dot eve"),
    ("state=closed_complete", "eve"),
    ("state=all", "ada bob cid dot eve"),
    ("profile={asia.pk}", "bob cid"),
    ("justification=unlicensed", "bob"),
    ("justification=unlicensed&state=all", "bob eve"),
    ("q=ADA", "ada"),
    ("q={number}", "bob"),
    ("q=rc{key}", "bob"),
    ("q=asia", "bob cid"),
    ("q=%25", ""),
    ("reason=idle", "ada"),
    ("reason=manual", "bob cid"),
    ("rule={rule.pk}", "ada"),
    ("rule=none", "bob cid"),
    ("hold=yes", "cid"),
    ("hold=no", "ada bob"),
    ("leaver=yes", "ada"),
    ("leaver=no&state=all", "bob cid dot eve"),
    ("assigned=me", "bob"),
    ("assigned=nobody", "ada cid"),
    ("assigned=somebody&state=all", "bob dot"),
]


@pytest.mark.parametrize(("query", "names"), FILTERS)
def test_a_filter_shows_counts_and_exports_the_same_candidates(reader: Any, world: Any, query: str, names: str) -> None:
    query = query.format(**vars(world))
    page = reader.get(f"{LIST}?{query}").content.decode()
    listed = {name for name, candidate in world.rows.items() if candidate.get_absolute_url() in page}
    assert listed == set(names.split()) and pages.rows_behind(reader, f"{LIST}?{query}") == len(listed)
    assert {row[1] for row in exported(reader.get(f"{EXPORT}?{query}"))[1:]} == listed


def test_tabs_count_each_state_and_keep_the_other_filters(reader: Any, world: Any) -> None:
    page = reader.get(f"{LIST}?profile={world.asia.pk}").content.decode()
    tabs = re.search(r'aria-label="States">(.*?)</nav>', page, re.DOTALL)
    assert tabs
    found = re.findall(r'href="([^"]*)"[^>]*>(.*?)</a>', tabs[1], re.DOTALL)
    counts = {pages.text_of(text): url.replace("&amp;", "&") for url, text in found}
    assert list(counts) == [
        *("Open 2", "Attention Required 1", "Ready 1", "Awaiting User 0", "Awaiting Approval 0"),
        *("Awaiting Revocation 0", "Closed 1"),
    ]
    for text, url in counts.items():
        assert pages.rows_behind(reader, url) == int(text.rsplit(" ", 1)[1]), text


def test_a_search_that_finds_very_many_does_not_count_them_for_the_tabs(
    reader: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tabs() -> list[str]:
        found = re.search(r'aria-label="States">(.*?)</nav>', reader.get(f"{LIST}?q=asia").content.decode(), re.DOTALL)
        assert found
        return pages.text_of(found[1]).split()

    assert tabs()[:2] == ["Open", "2"]
    monkeypatch.setattr(paging, "MOST_FOUND", 1)
    assert tabs()[:3] == ["Open", "Attention", "Required"], "the list says that more than so many match"


def test_a_row_says_what_the_license_costs_where_that_is_known(reader: Any) -> None:
    model = factories.software_model(cost_override="240.00", currency="EUR")
    factories.candidate(factories.subscription(identifier=factories.identifier(software_model=model)))
    assert "240.00 EUR" in reader.get(LIST).content.decode()


@pytest.mark.parametrize("column", CandidateTable.base_columns)
def test_every_column_sorts_both_ways(reader: Any, world: Any, column: str) -> None:
    for sort in (column, f"-{column}"):
        assert pages.rows_behind(reader, f"{LIST}?sort={sort}") == 3


def test_before_the_first_candidate_the_list_says_where_they_come_from(reader: Any) -> None:
    page = reader.get(LIST).content.decode()
    assert "No open removal candidate" in page and "press Propose for removal" in page


@pytest.mark.parametrize("path", [LIST, EXPORT])
def test_thirty_candidates_cost_as_many_queries_as_one(reader: Any, path: str) -> None:
    factories.candidate(opened_by=reader.user)
    one = pages.cost(reader, path)
    for _ in range(29):
        factories.candidate(opened_by=reader.user)
    assert pages.cost(reader, path) == one


def test_the_page_of_a_seat_costs_the_same_for_one_and_for_many_candidates(reader: Any) -> None:
    seat = factories.subscription()
    factories.candidate(seat, state=State.CLOSED_SKIPPED)
    one = pages.cost(reader, seat.get_absolute_url())
    for _ in range(9):
        factories.candidate(seat, state=State.CLOSED_SKIPPED)
    assert pages.cost(reader, seat.get_absolute_url()) == one


def test_nonsense_in_the_address_gives_a_page(reader: Any, world: Any) -> None:
    for query in worlds.nonsense(("q", "state", "profile", "justification", "sort", "page", "per_page")):
        assert reader.get(f"{LIST}?{query}").status_code == 200, query[:200]
        assert reader.get(f"{EXPORT}?{query}").status_code in (200, 302), query[:200]


def test_text_from_outside_stays_text(reader: Any, manager: Any) -> None:
    hostile = "<script>alert(1)</script>\u202e"
    seat = factories.subscription(
        display_name=hostile, email=hostile, profile=factories.profile(display_name="=PROFILE()")
    )
    candidate = factories.candidate(seat, note=hostile, evidence={**factories.candidate().evidence, "kind": hostile})
    manager.post(f"{candidate.get_absolute_url()}skip/", {"reason": f"=1+1 {hostile}"})
    for path in (f"{LIST}?state=all", candidate.get_absolute_url(), seat.get_absolute_url()):
        page = reader.get(path).content.decode()
        assert "<script>alert" not in page and "\u202e" not in page
    assert "'=PROFILE()" in exported(reader.get(f"{EXPORT}?state=closed"))[1]


def test_a_sam_admin_closes_a_candidate_as_skipped_with_a_reason(manager: Any, world: Any) -> None:
    candidate = world.rows["ada"]
    skip = f"{candidate.get_absolute_url()}skip/"
    assert skip in manager.get(candidate.get_absolute_url()).content.decode()
    assert "keeps the subscription" in manager.get(skip).content.decode()
    assert "This field is required" in manager.post(skip, {"reason": "  "}).content.decode()
    page = pages.text_of(manager.post(skip, {"reason": "On parental leave"}, follow=True).content.decode())
    assert "was closed as skipped" in page and "On parental leave" in page
    candidate.refresh_from_db()
    assert candidate.state == State.CLOSED_SKIPPED
    again = manager.post(skip, {"reason": "Once more"}, follow=True).content.decode()
    assert "is already closed" in again and "Once more" not in again


def test_a_sam_user_sees_a_candidate_and_cannot_close_it(reader: Any, world: Any) -> None:
    candidate = world.rows["ada"]
    assert "skip/" not in reader.get(candidate.get_absolute_url()).content.decode()
    assert reader.post(f"{candidate.get_absolute_url()}skip/", {"reason": "No"}).status_code == 403
    candidate.refresh_from_db()
    assert candidate.is_open


def test_an_open_candidate_says_that_nothing_was_removed(reader: Any, world: Any) -> None:
    assert "Nothing has been removed" in reader.get(world.rows["ada"].get_absolute_url()).content.decode()
    assert "Nothing has been removed" not in reader.get(world.rows["eve"].get_absolute_url()).content.decode()


def test_the_page_of_a_profile_leads_to_its_candidates(reader: Any, world: Any) -> None:
    page = reader.get(f"{world.asia.get_absolute_url()}subscriptions/").content.decode()
    assert f"{LIST}?profile={world.asia.pk}" in page


def test_inactive_days_that_are_not_known_are_a_dash_and_no_markup(reader: Any) -> None:
    candidate = factories.candidate()
    for path in (LIST, candidate.get_absolute_url()):
        page = reader.get(path).content.decode()
        assert '<span class="nothing">–</span>' in page and "&lt;span" not in page
