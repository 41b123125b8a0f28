"""The list of software subscriptions, one subscription, the export: what a reader finds, sorts, counts and takes."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.utils import timezone

from samsaas.lib import sql
from subscriptions.models import Subscription, SubscriptionIdentifier
from subscriptions.tables import SubscriptionTable
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LIST, EXPORT = "/subscriptions/", "/subscriptions/export/"
PARAMETERS = ("q", "profile", "model", "status", "license", "seats", "sort", "page", "per_page")


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def team() -> SimpleNamespace:
    """Two profiles, two software models and an unrecognized seat type; six current seats and one that ended."""
    europe, asia = factories.profile(display_name="Europe"), factories.profile(display_name="Asia")
    full, limited = factories.software_model(edition="Full"), factories.software_model(edition="Limited")
    seat_type = {"full": full, "limited": limited, "hologram": None}
    kinds = {name: factories.identifier(identifier=name, software_model=model) for name, model in seat_type.items()}

    def seat(name: str, **fields: Any) -> Subscription:
        fields = {"profile": europe, "identifier": kinds["full"], "email": f"{name}@one.example", **fields}
        return factories.subscription(display_name=name, external_id=f"dbmid:{name}", **fields)

    user = factories.person(name="Ada Lovelace", department="Sales", cost_center="4711", country="DE")
    ada = seat("ada", employee_id="E-100%", assigned_at=datetime(2019, 6, 15, 21, 59, tzinfo=UTC))
    factories.match(ada, user)
    seat("bob", status="invited", email="Robert@two.example")
    seat("cid", status="suspended", profile=asia)
    seat("dot", identifier=kinds["limited"], consumes_license=False)
    seat("eve", identifier=kinds["hologram"], status="unknown", profile=asia)
    seat("fay_x", profile=asia)
    seat("gus", ended_at=timezone.now(), profile=asia)
    return SimpleNamespace(europe=europe, asia=asia, full=full, limited=limited)


def shown(answer: Any) -> list[str]:
    """The names on a page of the list, in their order."""
    links = re.findall(r'<a[^>]*href="/subscriptions/\d+/"[^>]*>(.*?)</a>', answer.content.decode())
    return [re.sub("<[^>]*>", "", link) for link in links]


def exported(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"), newline="")))


FILTERS = [
    ("", "ada bob cid dot eve fay_x"),
    ("profile={europe}", "ada bob dot"),
    ("model={full}", "ada bob cid fay_x"),
    ("status=suspended", "cid"),
    ("license=yes", "ada bob cid eve fay_x"),
    ("license=no", "dot"),
    ("seats=ended", "gus"),
    ("seats=all", "ada bob cid dot eve fay_x gus"),
    ("seats=all&license=no", "dot gus"),
    ("status=suspended&status=invited", "bob cid"),
    ("assigned_before=2019-06-15", ""),
    ("assigned_before=2019-06-16", "ada"),
    ("department=Sales", "ada"),
    ("cost_center=4711&country=DE", "ada"),
    ("cost_center=4711&country=DE&status=invited", ""),
    ("q=EVE", "eve"),
    ("q=two.example", "bob"),
    ("q=dbmid:cid", "cid"),
    ("q=100%25", "ada"),
    ("q=%25", "ada"),
    ("q=_", "fay_x"),
    ("q=%5C", ""),
    ("q=+ada+", "ada"),
    ("profile={asia}&status=active&q=fay", "fay_x"),
    ("profile={asia}&model={limited}", ""),
]


@pytest.mark.parametrize(("query", "names"), FILTERS)
def test_a_filter_shows_counts_and_exports_the_same_seats(reader: Any, team: Any, query: str, names: str) -> None:
    query = query.format(**{name: row.pk for name, row in vars(team).items()})
    assert shown(reader.get(f"{LIST}?{query}")) == names.split()
    assert pages.rows_behind(reader, f"{LIST}?{query}") == len(names.split())
    assert [row[0] for row in exported(reader.get(f"{EXPORT}?{query}"))[1:]] == names.split()


SORTED = [name for name, column in SubscriptionTable.base_columns.items() if column.orderable is not False]


@pytest.mark.parametrize("column", SORTED)
def test_every_column_sorts_both_ways_and_the_pages_hold_every_seat_once(reader: Any, team: Any, column: str) -> None:
    """Many seats share a status, a profile or a date: without a last word on their order, pages overlap."""
    Subscription.objects.all().delete()
    places, kinds, rows = [team.europe, team.asia], SubscriptionIdentifier.objects.order_by("identifier"), []
    for number in range(90):
        half = number * 7 % 10 < 5
        rows.append(
            factories.subscription_row(
                profile=places[half],
                identifier=kinds[int(half)],
                display_name=f"Same {half}",
                email=f"{half}",
                status="active" if half else "invited",
                consumes_license=half,
                assigned_at=datetime(2026, 1, 1 + half, tzinfo=UTC),
            )
        )
    Subscription.objects.bulk_create(rows)
    for sort in (column, f"-{column}"):
        seen: list[str] = []
        for page in (1, 2, 3, 4):
            answer = reader.get(LIST, {"sort": sort, "per_page": 25, "page": page})
            seen += re.findall(r'href="/subscriptions/(\d+)/"', answer.content.decode())
        assert len(seen) == 90 and len(set(seen)) == 90, sort


def test_sorting_follows_what_is_shown(reader: Any, team: Any) -> None:
    def order(sort: str) -> list[str]:
        return shown(reader.get(f"{LIST}?sort={sort}"))

    assert order("-display_name") == ["fay_x", "eve", "dot", "cid", "bob", "ada"]
    assert set(order("profile")[:3]) == set(order("-profile")[3:]) == {"cid", "eve", "fay_x"}
    assert order("consumes_license")[0] == "dot" and order("-consumes_license")[-1] == "dot"
    assert order("status")[-1] == "eve"


def test_a_list_too_long_to_sort_offers_only_what_an_index_serves(reader: Any, team: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("samsaas.lib.tables.MOST_SORTED", 5)
    page = reader.get(f"{LIST}?sort=-status").content.decode()
    assert "A list as long as this is sorted by display name or user principal name only." in page
    assert shown(reader.get(f"{LIST}?sort=-status")) == ["ada", "bob", "cid", "dot", "eve", "fay_x"]
    assert 'id="sort-email"' in page and 'id="sort-status"' not in page
    assert shown(reader.get(f"{LIST}?sort=-email"))[0] == "bob"
    few = f"{LIST}?profile={team.asia.pk}"
    assert 'id="sort-status"' in reader.get(few).content.decode(), "few enough"
    sql.analyze("subscriptions_subscription")
    monkeypatch.setattr("samsaas.lib.tables.MOST_SORTED_OF_MORE", 2)
    assert 'id="sort-status"' not in reader.get(few).content.decode(), "3 of 7 are looked up one by one"
    monkeypatch.setattr("samsaas.lib.tables.MOST_SORTED", 7)
    assert 'id="sort-status"' in reader.get(LIST).content.decode(), "6 of the 7 of a short table"


def test_the_name_of_the_user_is_shown_where_it_is_another_one(reader: Any, team: Any) -> None:
    factories.match(Subscription.objects.get(display_name="bob"), factories.person(name="BOB"))
    listed = pages.rows(reader.get(LIST).content.decode(), "Display name")
    assert "Ada Lovelace" in listed["ada"] and "same" in listed["bob"]


def test_columns_of_the_directory_are_shown_to_who_chooses_them(reader: Any, team: Any) -> None:
    assert "Cost center</th>" not in reader.get(LIST).content.decode()
    columns = ["department", "cost_center", "country", "assigned_at", "identifier", "external_id", "first_seen_at"]
    reader.post("/lists/columns/", {"list": "SubscriptionTable", "column": columns, "back": LIST})
    listed = pages.rows(reader.get(LIST).content.decode(), "Display name")
    assert listed["ada"][:-1] == ["15 Jun 2019", "full", "dbmid:ada", "Sales", "4711", "DE"]
    assert listed["bob"][3:6] == ["–", "–", "–"], "no user, no department"


def test_filter_sort_and_page_size_live_in_the_url_and_keep_each_other(reader: Any, team: Any) -> None:
    for number in range(60):
        factories.subscription(profile=team.asia, display_name=f"Many {number:02}")
    query = {"q": "Many", "profile": team.asia.pk, "sort": "-email", "per_page": "25", "page": "2"}
    page = reader.get(LIST, query).content.decode()
    links = [
        parse_qs(urlsplit(link.replace("&amp;", "&")).query) for link in re.findall(r'href="([^"]*\?[^"]*)"', page)
    ]
    paging = [link for link in links if link.get("page") == ["3"]]
    assert paging and all(link["q"] == ["Many"] and link["sort"] == ["-email"] for link in paging)
    sorting = [link for link in links if link.get("sort") not in (None, ["-email"])]
    assert len(sorting) == len(SORTED)
    assert all(link["profile"] == [str(team.asia.pk)] and "page" not in link for link in sorting)
    sizes = [link for link in links if link.get("per_page") == ["100"]]
    assert sizes and all(link["q"] == ["Many"] and "page" not in link for link in sizes)
    assert '<input type="hidden" name="sort" value="-email">' in page
    assert '<input type="hidden" name="per_page" value="25">' in page
    assert f"{EXPORT}?{urlencode(query).replace('&', '&amp;')}" in page


def test_an_active_filter_can_be_taken_off_alone(reader: Any, team: Any) -> None:
    page = reader.get(LIST, {"q": "a", "profile": team.asia.pk, "sort": "email"}).content.decode()
    chips = re.findall(r'class="chip" href="([^"]+)"', page)
    without_search, without_profile = (parse_qs(urlsplit(chip.replace("&amp;", "&")).query) for chip in chips)
    assert without_search == {"profile": [str(team.asia.pk)], "sort": ["email"]}
    assert without_profile == {"q": ["a"], "sort": ["email"]}


@pytest.mark.parametrize("path", [LIST, EXPORT, "/software-models/", "/runs/", "/integration-profiles/", "/aliases/"])
def test_nonsense_in_any_parameter_gives_a_page(reader: Any, team: Any, path: str) -> None:
    factories.run(profile=team.europe)
    for query in worlds.nonsense((*PARAMETERS, "process", "state", "no-such-parameter")):
        answer = reader.get(f"{path}?{query}")
        assert answer.status_code in (200, 302 if path == EXPORT else 200), query[:300]
        if path != EXPORT:
            page = answer.content.decode()
            assert "<script>alert" not in page
            assert len(re.sub(r"<[^>]*>", "", page)) < 20_000, "the reader is not shown ten kilobytes of it"


def test_a_filter_that_cannot_be_used_is_left_out_and_named(reader: Any, team: Any) -> None:
    answer = reader.get(f"{LIST}?profile=4711&status=suspended")
    assert shown(answer) == ["cid"]
    assert "The filter “Profile” was ignored" in answer.content.decode()
    assert "The filter “Profile” was ignored" in reader.get(f"{EXPORT}?profile=4711", follow=True).content.decode()


@pytest.mark.parametrize("path", [LIST, EXPORT, f"{LIST}?q=person&seats=all&sort=-profile"])
def test_a_page_costs_the_same_for_one_seat_and_for_thirty(reader: Any, path: str) -> None:
    factories.subscription(is_admin=True)
    one = pages.cost(reader, path)
    for _ in range(29):
        factories.subscription()
    assert pages.cost(reader, path) == one


def test_an_empty_list_says_what_to_do(reader: Any, team: Any) -> None:
    page = reader.get(f"{LIST}?q=nobody").content.decode()
    assert 'class="empty"' in page and f'href="{LIST}"' in page.split('class="empty"')[1]
    Subscription.objects.all().delete()
    page = reader.get(LIST).content.decode()
    assert "download the subscriptions" in page.split('class="empty"')[1]
    assert len(exported(reader.get(EXPORT))) == 1


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)',
    "template": "{{ settings.SECRET_KEY }}{% debug %}",
    "right to left": "\u202etxt.exe",
    "zero width": "a\u200bd\u2060a\ufeff",
    "isolate": "\u2066\u2069\u061cx",
    "longest": "Ż" * 255,
    "emoji": "👩‍👩‍👧‍👦 Müller",
    "stacked marks": "Z" + "\u0351" * 100,
}
INVISIBLE = "\u202e\u200b\u2060\ufeff\u2066\u2069\u061c"


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_name_the_vendor_sent_is_inert_wherever_it_is_shown(reader: Any, name: str) -> None:
    profile = factories.profile()
    every = dict.fromkeys(("display_name", "given_name", "surname", "email", "employee_id"), name)
    more = {"secondary_emails": name, "roles": name, "vendor_status": name[:60], "external_id": name}
    seat = factories.subscription(
        profile=profile, identifier=factories.identifier(identifier=name[:120]), **every, **more
    )
    for path in (LIST, seat.get_absolute_url(), f"{LIST}?q={name[:50]}"):
        page = reader.get(path).content.decode()
        shown_part = re.sub(r'<input[^>]*name="q"[^>]*>', "", page)
        assert "<script>alert" not in page and 'onmouseover="' not in page
        assert not set(INVISIBLE) & set(shown_part), "characters that hide or turn text are made visible"
        assert "SECRET_KEY }}" in page or "SECRET_KEY" not in name
    if set(INVISIBLE) & set(name):
        assert f"U+{ord((set(INVISIBLE) & set(name)).pop()):04X}" in reader.get(LIST).content.decode()
    assert exported(reader.get(EXPORT))[1][0] in (name, f"'{name}")


def test_the_export_is_one_a_spreadsheet_opens(reader: Any, team: Any) -> None:
    Subscription.objects.filter(display_name="ada").update(
        display_name='Ada, "the"\nfirst Müller 李', assigned_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    )
    answer = reader.get(f"{EXPORT}?q=dbmid:ada")
    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="software-subscriptions.csv"'
    raw = answer.getvalue()
    assert raw.startswith('\ufeff"Display name",'.encode())
    header, row = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    told = dict(zip(header, row, strict=True))
    assert told["Display name"] == 'Ada, "the"\nfirst Müller 李'
    assert told["Software model"] == "Dropbox Business Full" and told["Subscription profile"] == "Europe"
    assert (told["Uses a license"], told["Subscription assigned (UTC)"]) == ("yes", "2026-03-01 23:30:00")
    assert told["Ended (UTC)"] == "" and told["Subscription identifier"] == "full"


def test_no_name_becomes_a_formula(reader: Any) -> None:
    profile, kind = factories.profile(display_name="=PROFILE()"), factories.identifier(identifier="@seat")
    for start in "=+-@\t\r＝＋－＠":
        name = f"{start}HYPERLINK(1)"
        factories.subscription(profile=profile, identifier=kind, display_name=name, email=name, employee_id=name)
    rows = exported(reader.get(EXPORT))[1:]
    assert len(rows) == 10
    started = {cell[0] for row in rows for cell in row if cell}
    assert not started & set("=+-@\t\r＝＋－＠")


def test_one_subscription_shows_all_that_the_vendor_said(reader: Any) -> None:
    seat = factories.subscription(
        display_name="Ada Lovelace",
        email="ada@one.example",
        email_verified=True,
        secondary_emails="a1@one.example\na2@one.example",
        roles="Team admin\nBilling admin",
        is_admin=True,
        vendor_status="active",
        employee_id="E100",
        account_id="dbid:1",
        assigned_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        identifier=factories.identifier(identifier="full", software_model=factories.software_model(edition="Full")),
    )
    page = reader.get(seat.get_absolute_url()).content.decode().replace("<wbr>", "")
    for said in ("Ada Lovelace", "a2@one.example", "Billing admin", "Vendor admin", "Verified", "E100", "dbid:1"):
        assert said in page
    assert "1 Mar 2026, 09:30" in page and "Dropbox Business Full" in page and seat.external_id in page
    assert seat.profile.get_absolute_url() in page and "Ended" not in page


def test_an_ended_subscription_is_history_with_the_run_that_ended_it(reader: Any) -> None:
    run = factories.run()
    seat = factories.subscription(ended_at=datetime(2026, 3, 4, 5, 6, tzinfo=UTC), ended_by_run=run)
    page = reader.get(seat.get_absolute_url()).content.decode()
    assert "4 Mar 2026, 05:06" in page and f'<a href="{run.get_absolute_url()}">run #{run.pk}</a>' in page
    license = page.split("Uses a license")[1][:300]
    assert "No" in license and "Yes" not in license
    run.delete()
    assert reader.get(seat.get_absolute_url()).status_code == 200


def test_an_unrecognized_seat_without_a_name_has_a_page(reader: Any) -> None:
    seat = factories.subscription(display_name="", email="", identifier=factories.identifier(software_model=None))
    page = reader.get(seat.get_absolute_url()).content.decode()
    assert "Unrecognized" in page and seat.external_id in page
    assert f"<bdi>{seat.external_id}</bdi></a>" in reader.get(LIST).content.decode()


def test_a_subscription_without_a_name_is_called_by_its_address(reader: Any) -> None:
    """Nobody knows an account by the vendor's id."""
    seat = factories.subscription(display_name="", email="ada@one.example")
    found = factories.person("ada@one.example")
    factories.match(seat, found)
    for path in (LIST, seat.get_absolute_url(), f"/subscriptions/{seat.pk}/propose/", found.get_absolute_url()):
        page = reader.get(path).content.decode()
        assert "<bdi>ada@one.example</bdi>" in page, path
    assert f"<bdi>{seat.external_id}</bdi></a>" not in reader.get(LIST).content.decode()


def test_a_full_admin_is_told_from_one_with_some_rights(reader: Any) -> None:
    full = factories.subscription(is_admin=True, is_full_admin=True, roles="Team admin")
    some = factories.subscription(is_admin=True, roles="User management")
    assert "Full vendor admin" in reader.get(full.get_absolute_url()).content.decode()
    page = reader.get(some.get_absolute_url()).content.decode()
    assert "Vendor admin" in page and "Full vendor admin" not in page


def test_the_page_of_one_subscription_costs_the_same_among_many(reader: Any) -> None:
    seat = factories.subscription(ended_at=timezone.now(), ended_by_run=factories.run())
    one = pages.cost(reader, seat.get_absolute_url())
    for _ in range(29):
        factories.subscription(profile=seat.profile, identifier=seat.identifier)
    assert pages.cost(reader, seat.get_absolute_url()) == one


@pytest.mark.parametrize("key", ["0", "4711", str(2**63), "9" * 400, "-1", "abc", "%ff"])
def test_a_subscription_that_is_not_there_is_told_so(reader: Any, key: str) -> None:
    assert reader.get(f"{LIST}{key}/").status_code == 404
    assert reader.get(f"/software-models/{key}/").status_code == 404
