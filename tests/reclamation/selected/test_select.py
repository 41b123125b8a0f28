"""Selecting candidates: what is ticked survives paging and sorting, and nothing that is posted is trusted."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import RequestFactory

from reclamation import selection
from reclamation.models import RemovalCandidate
from reclamation.states import State
from samsaas.lib.selection import MOST_STORED, MOST_TICKED, STORED
from tests import factories, pages
from tests.reclamation.selected import choosing
from tests.reclamation.selected.choosing import LIST, SELECT, Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


def test_ticks_survive_paging_and_sorting(reader: Any) -> None:
    choosing.candidates(60)
    first = Page.open(reader, f"{LIST}?per_page=25")
    second = first.tick(0, 1).go_to("page=2&per_page=25")
    third = second.tick(0).go_to("page=3&per_page=25&sort=display_name")
    assert third.text == "3 selected"
    again = third.go_to("per_page=25")
    assert again.ticked == {first.rows[0], first.rows[1]} and again.text == "3 selected"
    assert again.untick(0).go_to("per_page=25").text == "2 selected"


def test_links_to_other_pages_carry_the_selection_so_that_back_and_forward_keep_it(reader: Any) -> None:
    choosing.candidates(60)
    page = Page.open(reader, f"{LIST}?per_page=25")
    page.tick(3).keep()
    for place in re.findall(r'<a id="(?:page|sort|size)-[^"]*" href="(\?[^"]*)"', page.html):
        assert Page.open(reader, LIST + place.replace("&amp;", "&")).text == "1 selected", place


def test_a_list_that_is_opened_anew_and_one_with_another_filter_begin_without_a_selection(reader: Any) -> None:
    choosing.candidates(3)
    page = Page.open(reader, LIST)
    kept = page.tick(0).go_to("")
    assert kept.text == "1 selected"
    assert Page.open(reader, LIST).text == "Nothing selected"
    assert Page.open(reader, f"{LIST}?state=ready&selection={kept.token}").text == "Nothing selected"
    assert Page.open(reader, f"{LIST}?selection={kept.token}").text == "1 selected"


def test_two_tabs_do_not_share_a_selection(reader: Any) -> None:
    choosing.candidates(3)
    one, other = Page.open(reader, LIST), Page.open(reader, LIST)
    assert one.tick(0, 1).go_to("").text == "2 selected"
    assert other.tick(2).go_to("").text == "1 selected"
    assert Page.open(reader, f"{LIST}?selection={one.token}").text == "2 selected"


def test_this_page_and_all_of_this_filter_can_be_selected_and_cleared(reader: Any) -> None:
    choosing.candidates(30)
    choosing.candidates(4, state=State.ATTENTION_REQUIRED)
    page = Page.open(reader, f"{LIST}?state=ready&per_page=25")
    assert page.press("page").text == "25 selected"
    assert "Select all 30" in page.html
    everything = page.press("all")
    assert everything.text == "All 30 selected" and len(everything.ticked) == 25
    assert everything.untick(0, 1).go_to("state=ready&page=2&per_page=25").text == "28 of 30 selected"
    assert everything.press("clear").text == "Nothing selected"


def test_rows_that_came_after_everything_was_selected_are_announced_in_the_bar(reader: Any) -> None:
    choosing.candidates(5)
    everything = Page.open(reader, LIST).press("all")
    choosing.candidates(3)
    again = Page.open(reader, f"{LIST}?selection={everything.token}")
    assert again.text == "All 5 selected" and "8 match now." in again.html
    assert "Select all 8" in again.html


def test_the_selection_is_read_by_another_page_as_rows(reader: Any) -> None:
    found = choosing.candidates(5)
    page = Page.open(reader, LIST)
    page.tick(0, 2).keep()
    request = choosing.request_of(reader)
    assert {one.pk for one in selection.read(request, page.token)} == {page.rows[0], page.rows[2]}
    everything = page.press("all").untick(1)
    everything.keep()
    rows = selection.read(choosing.request_of(reader), everything.token)
    assert {one.pk for one in rows} == {one.pk for one in found} - {page.rows[1]}
    RemovalCandidate.objects.filter(pk=page.rows[0]).delete()
    assert rows.all().count() == 3


@pytest.mark.parametrize(
    "altered",
    ["", "unknown-token", "' OR 1=1 --", "x" * 5000, "../..", "\u0000", "selection"],
)
def test_an_altered_or_foreign_token_selects_nothing(reader: Any, signed_in: Any, altered: str) -> None:
    choosing.candidates(3)
    page = Page.open(reader, LIST)
    page.press("all")
    other = signed_in("sam_admin", username="other")
    for client, token in ((reader, altered), (other, page.token)):
        with pytest.raises(selection.SelectionGone):
            selection.read(choosing.request_of(client), token)


FOREIGN = ["999999", "0", "-5", "1e3", "9" * 19, "9" * 400, "٣", "' OR 1=1", "1;DROP TABLE x", "NaN", ""]


def test_ids_that_are_none_of_the_persons_rows_select_nothing(reader: Any) -> None:
    (known,) = choosing.candidates(1)
    page = Page.open(reader, LIST)
    ids = [*FOREIGN, str(known.pk)]
    answer = reader.post(SELECT, {**page.hidden, "shown": ",".join(ids), "row": ids, "do": "keep"})
    assert answer.status_code == 204
    assert [one.pk for one in selection.read(choosing.request_of(reader), page.token)] == [known.pk]


@pytest.mark.parametrize(
    "fields",
    [
        {"shown": ",".join(map(str, range(101))), "row": ["1"]},
        {"shown": "1", "row": list(map(str, range(101)))},
        {"shown": ",".join(map(str, range(20_000)))},
    ],
)
def test_more_rows_than_a_page_has_are_refused(reader: Any, fields: dict[str, Any]) -> None:
    page = Page.open(reader, LIST)
    refused = reader.post(SELECT, {**page.hidden, **fields, "do": "keep"})
    assert refused.status_code == 400 and "At most 500" in refused.content.decode()
    told = reader.post(SELECT, {**page.hidden, **fields, "do": "export"}, follow=True).content.decode()
    assert "At most 500" in told and STORED not in reader.session


def test_ticking_ends_at_as_many_rows_as_one_statement_may_name_and_keeps_what_was_ticked(reader: Any) -> None:
    choosing.candidates(1)
    page, last = Page.open(reader, LIST), ""
    for start in range(0, MOST_TICKED + 100, 100):
        ids = list(map(str, range(start + 1, start + 101)))
        answer = reader.post(SELECT, {**page.hidden, "shown": ",".join(ids), "row": ids, "do": "keep"})
        last = answer.content.decode()
    assert "select all rows of it" in last
    assert len(reader.session[STORED][page.token]["ids"]) == MOST_TICKED


def test_a_session_holds_a_few_selections_only(reader: Any) -> None:
    choosing.candidates(1)
    for _ in range(MOST_STORED + 3):
        page = Page.open(reader, LIST)
        page.tick(0).keep()
    assert len(reader.session[STORED]) == MOST_STORED and page.token in reader.session[STORED]


@pytest.mark.parametrize(
    "place",
    ["?page=2", "https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example", "?" + "x" * 9000],
)
def test_the_way_on_stays_in_the_list(reader: Any, place: str) -> None:
    choosing.candidates(1)
    page = Page.open(reader, LIST)
    answer = reader.post(SELECT, {**page.hidden, "go": place})
    assert answer.status_code == 303 and answer["Location"].startswith(f"{LIST}?")


@pytest.mark.parametrize("place", ["state=nonsense", "profile=999999", f"q={'x' * 300}"])
def test_all_of_a_filter_that_cannot_be_used_cannot_be_selected(reader: Any, place: str) -> None:
    choosing.candidates(2)
    page = Page.open(reader, f"{LIST}?{place}")
    told = reader.post(SELECT, {**page.hidden, "place": place, "do": "all"}, follow=True).content.decode()
    assert "cannot be used" in told and STORED not in reader.session


def test_a_selection_whose_filter_ended_does_not_become_one_of_everything(reader: Any) -> None:
    profile = factories.profile()
    choosing.candidates(2, profile=profile)
    choosing.candidates(3)
    page = Page.open(reader, f"{LIST}?profile={profile.pk}").press("all")
    assert page.text == "All 2 selected"
    RemovalCandidate.objects.filter(profile=profile).update(profile=None)
    profile.scheduled_jobs.all().delete()
    profile.subscriptions.all().delete()
    profile.delete()
    with pytest.raises(selection.SelectionGone):
        selection.read(choosing.request_of(reader), page.token)


def test_selecting_costs_as_many_queries_for_one_row_as_for_many(reader: Any) -> None:
    choosing.candidates(1)
    page = Page.open(reader, LIST)
    one = [choosing.queries_of(lambda do=do: reader.post(SELECT, page.fields(do))) for do in ("keep", "all", "page")]
    choosing.candidates(119)
    page = Page.open(reader, f"{LIST}?per_page=100")
    many = [choosing.queries_of(lambda do=do: reader.post(SELECT, page.fields(do))) for do in ("keep", "all", "page")]
    assert many == one
    everything = page.press("all")
    address = f"{LIST}?per_page=100&selection={everything.token}"
    assert pages.cost(reader, address) == pages.cost(reader, f"{LIST}?per_page=100")


def test_a_row_says_what_its_box_selects(reader: Any) -> None:
    seat = factories.subscription(display_name="<b>Ada\u202e")
    candidate = factories.candidate(seat)
    html = reader.get(LIST).content.decode()
    assert f"Select {candidate.number}, &lt;b&gt;AdaU+202E" in html


def test_a_reader_may_select_and_export_and_sees_no_other_button(reader: Any, signed_in: Any) -> None:
    choosing.candidates(1)
    assert Page.open(reader, LIST).buttons == ["Export Excel", "Export CSV"]
    manager = signed_in("sam_admin")
    done_here = ["Assign", "Close Skipped", "Add a note", "Export Excel", "Export CSV"]
    assert Page.open(manager, LIST).buttons[-5:] == done_here


def test_an_action_without_a_selection_says_so(reader: Any) -> None:
    choosing.candidates(1)
    told = reader.post(SELECT, Page.open(reader, LIST).fields("export"), follow=True).content.decode()
    assert "Nothing is selected" in told


def test_exactly_what_is_selected_is_exported(reader: Any) -> None:
    choosing.candidates(60)
    page = Page.open(reader, f"{LIST}?per_page=25")
    page.tick(0, 1).go_to("page=2&per_page=25").tick(4).keep()
    answer = reader.post(SELECT, page.tick(0, 1).fields("export"), follow=True)
    lines = answer.getvalue().decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    sheet = reader.get(f"{LIST}?{urlencode({'selection': page.token, 'export': 'csv'})}")
    assert len(sheet.getvalue().decode("utf-8-sig").splitlines()) == 4, "the list as a file has what is ticked, too"
    everything = page.press("all")
    answer = reader.get(f"{LIST}export/?{urlencode({'selection': everything.token})}")
    assert len(answer.getvalue().decode().splitlines()) == 61
    gone = reader.get(f"{LIST}export/?selection=altered-token", follow=True).content.decode()
    assert "This selection is over" in gone


def test_a_page_that_nobody_signed_in_for_reads_no_selection(db: None) -> None:
    request = RequestFactory().get(LIST)
    request.session = {}  # type: ignore[assignment]
    with pytest.raises(selection.SelectionGone):
        selection.read(request, "x" * 12)
