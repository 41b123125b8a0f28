"""Subscriptions without user: the work list, its suggestions with their reasons, and matching by hand."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from samsaas.models import AuditEntry
from subscriptions.matching import suggest
from subscriptions.models import Match, Person, ResolutionRule, Subscription
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
LIST = "/subscriptions-without-user/"
TICKS = "Select all rows of this page"  # the heading of the first column
NAMES = ("q", "profile", "status", "sort", "page", "per_page")


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def shown(client: Any, query: str = "") -> list[str]:
    page = client.get(f"{LIST}?{query}").content.decode()
    try:
        return [cells[0].split()[0] for cells in pages.rows(page, TICKS).values()]
    except StopIteration:
        return []


def hints(seat: Subscription) -> list[tuple[str, str]]:
    return [(one.person.name, one.reason) for one in suggest.run([seat])[seat.pk]]


def test_only_current_seats_without_a_match_are_listed(keeper: Any) -> None:
    europe, asia = factories.profile(display_name="Europe"), factories.profile()
    kind = factories.identifier()
    names = {"Ended": {"ended_at": timezone.now()}, "Left-out": {"excluded": True}, "Open": {}, "Invited": {}}
    for name, fields in names.items():
        factories.subscription(profile=europe, identifier=kind, display_name=name, **fields)
    Subscription.objects.filter(display_name="Invited").update(status="invited")
    factories.match(factories.subscription(profile=europe, identifier=kind), factories.person())
    factories.subscription(profile=asia, identifier=kind, display_name="Other", email="find.me@example.com")
    assert shown(keeper) == ["Invited", "Open", "Other"]
    assert shown(keeper, f"profile={europe.pk}") == ["Invited", "Open"]
    assert shown(keeper, "q=find.me") == ["Other"]
    assert shown(keeper, "status=invited") == ["Invited"]


def test_every_suggestion_says_why(keeper: Any) -> None:
    factories.person("ann@example.com", name="Unverified")
    factories.person("second@example.com", name="Secondary")
    factories.person("x@example.com", name="zoë MÜLLER")
    factories.person("y@example.com", name="Lee, Kim")
    factories.person("bob@example.org", name="Elsewhere")
    seat = factories.subscription
    ann = seat(email="Ann@example.com", email_verified=False)
    assert hints(ann) == [("Unverified", "Same address, but the vendor has not verified it")]
    assert hints(seat(email="z@other.example", secondary_emails="q@q.example\nSecond@example.com")) == [
        ("Secondary", "Secondary address second@example.com")
    ]
    assert hints(seat(email="", display_name="Kim  Lee", given_name="Kim", surname="Lee")) == [
        ("Lee, Kim", "Same name")
    ]
    assert hints(seat(email="bob@example.com")) == [("Elsewhere", "Same address under another domain: bob@example.org")]
    assert hints(seat(email="")) == []


def test_names_are_compared_without_regard_to_case_and_blanks() -> None:
    factories.person(name="Zoë Müller")
    assert hints(factories.subscription(display_name="ZOË  MÜLLER", email="")) == [("Zoë Müller", "Same name")]
    assert hints(factories.subscription(display_name="zoë müller", email="")) == [("Zoë Müller", "Same name")]
    other = hints(factories.subscription(display_name="Zoe Muller", email=""))
    assert other == [("Zoë Müller", "Same name with other accents")], "a hint that says that it is not the same"


def test_a_shared_address_suggests_all_who_hold_it() -> None:
    for name in ("One", "Two"):
        factories.person("team@example.com", name=name)
    found = hints(factories.subscription(email="team@example.com", email_verified=True))
    assert found == [(name, "Same address, but 2 people share it") for name in ("One", "Two")]


def test_at_most_three_people_are_suggested_each_once_and_leavers_last() -> None:
    for number in range(5):
        left = date(2026, 1, 1) if number == 0 else None
        factories.person("team@example.com", name=f"Kim {number}", left_on=left)
    Person.objects.filter(name="Kim 1").update(name="Team")
    found = [name for name, _ in hints(factories.subscription(email="team@example.com", display_name="Team"))]
    assert found == ["Team", "Kim 2", "Kim 3"]


def test_namesakes_are_told_apart_by_number_department_address_and_the_seats_they_hold(keeper: Any) -> None:
    profile, kind = factories.profile(), factories.identifier()
    known = {
        "E1": {"department": "Sales"},
        "E2": {"department": "Legal"},
        "E3": {"left_on": date(2026, 1, 31)},
    }
    one, two, _ = [factories.person(f"{key}@hr.example", name="Maeve Peña", key=key, **known[key]) for key in known]
    factories.match(factories.subscription(profile=profile, identifier=kind), one)
    factories.match(factories.subscription(identifier=kind), one)
    factories.match(factories.subscription(identifier=kind), two)
    factories.match(factories.subscription(profile=profile, identifier=kind, ended_at=timezone.now()), two)
    seat = factories.subscription(profile=profile, identifier=kind, display_name="Maeve Peña", email="")
    told = [
        "Maeve Peña E1 , Sales , E1 @hr.example Same name ; holds 2 subscriptions, one in this profile already",
        "Maeve Peña E2 , Legal , E2 @hr.example Same name ; holds 1 subscription",
        "Maeve Peña Last day 31 Jan 2026 E3 , E3 @hr.example Same name ; holds no subscription",
    ]
    for path in (LIST, f"/subscriptions/{seat.pk}/user/"):
        page = keeper.get(path).content.decode().split('class="suggestions"')[1].split("</ul>")[0]
        shown_people = [pages.text_of(f"<{part}") for part in re.split(r"<li>\s*<div", page)[1:]]
        assert [one.split(" Match ")[0] for one in shown_people] == told, path


def test_thirty_seats_with_suggestions_cost_as_many_queries_as_one(keeper: Any) -> None:
    factories.person("p0@example.org")
    factories.subscription(email="p0@example.com", secondary_emails="s@example.com", display_name="Kim")
    one = pages.cost(keeper, LIST)
    for number in range(1, 30):
        factories.person(f"p{number}@example.org", f"q{number}@example.com", name="Kim")
        factories.subscription(email=f"p{number}@example.com", secondary_emails="s@example.com", display_name="Kim")
    assert pages.cost(keeper, LIST) == one
    assert pages.rows_behind(keeper, LIST) == 30


def test_one_click_matches_and_leads_back_to_the_same_place(keeper: Any) -> None:
    ann = factories.person("ann@example.com", name="Ann")
    seat = factories.subscription(email="ann@example.com")
    page = keeper.get(f"{LIST}?q=ann@").content.decode()
    pair = re.search(r'form="match-form" name="pair"\s+value="([\d:]+)"', page)
    back = re.search(r'name="back" value="([^"]+)"', page)
    assert pair and back
    answer = keeper.post(f"{LIST}match/", {"pair": pair[1], "back": back[1]})
    assert answer["Location"] == f"{LIST}?q=ann@"
    match = Match.objects.get()
    assert (match.subscription, match.person, match.by_hand, match.by) == (seat, ann, True, keeper.user)
    assert shown(keeper) == []
    assert AuditEntry.objects.get(verb="matched by hand").detail["number"] == ann.key


def test_a_match_made_by_mistake_is_taken_back_where_it_was_made(keeper: Any) -> None:
    seat, ann = factories.subscription(display_name="A <b>seat</b>"), factories.person(name="Ann <i>", key="E7")
    here = f"{LIST}?status=active"
    answer = keeper.post(f"{LIST}match/", {"pair": f"{seat.pk}:{ann.pk}", "back": here}, follow=True)
    page = answer.content.decode()
    assert "A &lt;b&gt;seat&lt;/b&gt; was matched with Ann &lt;i&gt; (E7)." in page
    button = re.search(r'<button[^>]*form="match-form"\s+formaction="([^"]+)">Undo', page)
    assert button and 'id="match-form"' in page
    answer = keeper.post(button[1], {"back": here})
    assert answer["Location"] == here and not Match.objects.exists()
    assert "Undo" not in keeper.post(f"{LIST}match/", {"pair": f"{seat.pk}:{ann.pk}"}, follow=True).content.decode()
    assert keeper.post(button[1], {"back": "https://evil.example/"})["Location"] == seat.get_absolute_url()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "", "\\\\evil"])
def test_a_match_never_leads_to_another_site(keeper: Any, back: str) -> None:
    seat, person = factories.subscription(), factories.person()
    answer = keeper.post(f"{LIST}match/", {"pair": f"{seat.pk}:{person.pk}", "back": back})
    assert answer["Location"] == seat.get_absolute_url()


@pytest.mark.parametrize("pair", ["", "1", "1:2:3", "a:b", "999999:999999", f"{2**63}:1", "-1:1", "٣:٣"])
def test_a_pair_that_makes_no_sense_is_not_found(keeper: Any, pair: str) -> None:
    assert keeper.post(f"{LIST}match/", {"pair": pair}).status_code == 404
    assert not Match.objects.exists()


def test_the_search_finds_anybody_and_replaces_a_match(keeper: Any) -> None:
    seat, first, other = factories.subscription(), factories.person(), factories.person(name="Other One")
    factories.match(seat, first)
    page = keeper.get(f"/subscriptions/{seat.pk}/user/?q=other").content.decode()
    assert f'value="{seat.pk}:{other.pk}"' in page and f'value="{seat.pk}:{first.pk}"' not in page
    keeper.post(f"{LIST}match/", {"pair": f"{seat.pk}:{other.pk}"})
    assert Match.objects.get().person == other


def test_a_subscription_says_whose_it_is_and_how_that_is_known(keeper: Any, signed_in: Any) -> None:
    by_rule, by_hand, nobody = (factories.subscription() for _ in range(3))
    factories.match(by_rule, factories.person(name="Ruled"), rule=ResolutionRule.objects.get())
    factories.match(by_hand, factories.person(name="Handmade"), by=keeper.user)
    said = {
        seat: pages.text_of(keeper.get(seat.get_absolute_url()).content.decode()) for seat in (by_rule, by_hand, nobody)
    }
    assert "Ruled" in said[by_rule] and "By the rule “E-mail address of a verified account”" in said[by_rule]
    assert "Handmade" in said[by_hand] and "By hand, by sam_admin" in said[by_hand]
    assert "no resolution rule leads to exactly one person" in said[nobody]
    assert "Remove the match" in said[by_hand] and "Remove the match" not in said[by_rule]
    reader = pages.text_of(signed_in("sam_user").get(by_hand.get_absolute_url()).content.decode())
    assert "Handmade" in reader and "Remove the match" not in reader and "Find the person" not in reader


def test_a_match_made_by_hand_is_removed_on_the_subscriptions_page(keeper: Any) -> None:
    seat = factories.subscription()
    factories.match(seat, factories.person())
    keeper.post(f"/subscriptions/{seat.pk}/user/remove/")
    assert not Match.objects.exists()
    assert seat.profile.runs.filter(process="match_people").count() == 1
    again = keeper.post(f"/subscriptions/{seat.pk}/user/remove/", follow=True)
    assert "There is no match made by hand" in again.content.decode()


def test_nonsense_in_the_address_never_breaks_the_lists(keeper: Any) -> None:
    seat = factories.subscription()
    for query in worlds.nonsense((*NAMES, "back")):
        assert keeper.get(f"{LIST}?{query}").status_code == 200, query
        assert keeper.get(f"/subscriptions/{seat.pk}/user/?{query}").status_code == 200, query


def test_readers_see_suggestions_and_only_sam_admins_and_admins_match(signed_in: Any) -> None:
    person = factories.person("ann@example.com", name="Ann")
    seat = factories.subscription(email="ann@example.com")
    for role, allowed in {"sam_user": False, "sam_integrator": False, "sam_admin": True, "admin": True}.items():
        client = signed_in(role)
        page = client.get(LIST).content.decode()
        assert "Same address" in page and ('match-form" name' in page) == allowed, role
        answer = client.post(f"{LIST}match/", {"pair": f"{seat.pk}:{person.pk}"})
        assert (answer.status_code == 302) == allowed, role
        Match.objects.all().delete()


def test_an_empty_work_list_is_good_news(keeper: Any) -> None:
    assert "Every subscription has its user" in keeper.get(LIST).content.decode()
