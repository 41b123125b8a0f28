"""Whatever changes whose a seat is says so before: imports, the form of a person, deleting one, and the rules."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from subscriptions.models import Match, Person, PersonImportSeat, ResolutionRule, Subscription
from subscriptions.people.imports import steps as import_people
from tests import factories, pages
from tests.subscriptions.people import people_world as world
from tests.subscriptions.users.users_world import seat, user_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
HEADER = "employee number,name,e-mails,left on\n"
RULES = "/user-resolution-rules/"


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


@pytest.fixture
def zoe() -> Subscription:
    """The seat of Zoe, employee number 00007."""
    factories.person("zoe@acme.example", key="00007", name="Zoe Seven")
    one = seat("zoe@acme.example", display_name="Zoe’s seat")
    assert user_of(one) == "00007"
    return one


def text(page: Any) -> str:
    content = page if isinstance(page, str) else page.content.decode()
    return pages.text_of(content.replace("<wbr>", ""))


def seats_of(upload: Any) -> list[tuple[str, str, str, str]]:
    return [
        (str(one.subscription), one.effect, one.before_key, one.after_key)
        for one in upload.seats.select_related("subscription")
    ]


# A line of a file, what it does to the seat of 00007, whose that is then, whether a tick is needed, and who is named.
LINES = {
    "a lost leading zero": ("7,Zoe Seven,zoe@acme.example,", "loses", "", True, "Zoe Seven (00007)"),
    "another's address": (
        "9,Ann,ann@acme.example zoe@acme.example,",
        "loses",
        "",
        True,
        "Zoe Seven (00007)",
    ),
    "in another case and composition": ("9,Ann,ZOE@ACME.example,", "loses", "", True, "Zoe Seven (00007)"),
    "another address": ("9,Ann,ann@acme.example,", "", "00007", False, ""),
    "left, and nobody else": ("00007,Zoe Seven,zoe@acme.example,2020-01-31", "", "00007", False, ""),
    "renamed": ("00007,Zoe Eight,zoe.eight@acme.example,", "", "00007", False, ""),
    "no address any more": ("00007,Zoe Seven,,", "", "00007", False, ""),
}


@pytest.mark.parametrize("what", LINES)
def test_a_file_says_which_seats_it_would_take_off_somebody(keeper: Any, zoe: Subscription, what: str) -> None:
    line, effect, then, asked, named = LINES[what]
    upload = world.staged(HEADER + line + "\n", keeper.user)
    page = keeper.get(upload.get_absolute_url()).content.decode()
    assert ("Zoe’s seat" in page) == bool(effect)
    assert seats_of(upload) == ([("Zoe’s seat", effect, "00007", then)] if effect else [])
    assert (f"zoe@acme.example is an address of {named}, too." in text(page)) == bool(named)
    if asked:
        assert "1 subscription loses its user." in text(page) and 'href="#users"' in page
        with pytest.raises(import_people.Unconfirmed, match="1 subscription would be taken from its user"):
            world.applied(upload, keeper.user)
        assert "Tick the box below" in world.press(keeper, upload)
        assert "Applied" in world.press(keeper, upload, confirmed="on")
    else:
        assert world.applied(upload, keeper.user).state == "applied"
    assert user_of(zoe) == then
    assert not PersonImportSeat.objects.exists(), "after that only the refused lines are kept"


@pytest.mark.parametrize(
    ("stored", "number", "told"),
    [
        ("00007", "7", True),
        ("P00083", "p00083", True),
        ("P00083", "0P00083", True),
        ("70", "7", False),
        ("7", "8", False),
    ],
)
def test_a_new_number_that_looks_like_another_is_told(keeper: Any, stored: str, number: str, told: bool) -> None:
    factories.person(key=stored, name="Stored")
    upload = world.staged(f"employee number,name\n{number},New\n", keeper.user)
    page = keeper.get(upload.get_absolute_url()).content.decode()
    assert ("Similar number" in page) == told
    sentence = f"Stored ({stored}) has a number that differs only in leading zeros or capitals."
    assert (sentence in text(page)) == told
    assert pages.rows_behind(keeper, f"{upload.get_absolute_url()}?overlap=yes") == (1 if told else 0)
    assert world.applied(upload, keeper.user).state == "applied", "it is said, and nobody is asked twice"
    assert Person.objects.count() == 2, "nobody is merged"


def test_two_lines_of_a_file_with_one_address_are_told_and_the_seat_they_cost(keeper: Any, zoe: Subscription) -> None:
    Person.objects.filter(key="00007").update(left_on=timezone.localdate() - timedelta(days=1))
    upload = world.staged(HEADER + "8,Ann,zoe@acme.example,\n9,Bob,zoe@acme.example,\n", keeper.user)
    page = text(keeper.get(upload.get_absolute_url()))
    assert "zoe@acme.example is an address of Bob (9), too." in page
    assert "zoe@acme.example is an address of Ann (8), too." in page
    assert seats_of(upload) == [("Zoe’s seat", "loses", "00007", "")]


def test_a_seat_that_passes_from_who_left_to_who_is_here_is_shown_and_needs_no_tick(keeper: Any, zoe: Any) -> None:
    file = HEADER + "00007,Zoe Seven,zoe@acme.example,2024-05-31\n900,Zoe Seven,zoe@acme.example,\n"
    upload = world.staged(file, keeper.user)
    assert seats_of(upload) == [("Zoe’s seat", "changes", "00007", "900")]
    assert "1 subscription passes to another person." in text(keeper.get(upload.get_absolute_url()))
    assert world.applied(upload, keeper.user).state == "applied" and user_of(zoe) == "900"


def test_a_seat_that_passes_between_two_who_are_here_needs_a_tick(keeper: Any, zoe: Any) -> None:
    file = HEADER + "00007,Zoe Seven,other@acme.example,\n900,Ann,zoe@acme.example,\n"
    upload = world.staged(file, keeper.user)
    assert seats_of(upload) == [("Zoe’s seat", "changes", "00007", "900")]
    with pytest.raises(import_people.Unconfirmed):
        world.applied(upload, keeper.user)


def test_a_file_that_lists_everybody_says_what_a_new_number_costs(keeper: Any, zoe: Any) -> None:
    world.crowd(30)
    rest = "".join(f"P{place:05},Person {place},,\n" for place in range(30))
    upload = world.staged(HEADER + "7,Zoe Seven,zoe@acme.example,\n" + rest, keeper.user, everybody=True)
    page = keeper.get(upload.get_absolute_url()).content.decode()
    line = page[page.index("zoe@acme.example") :][:600]
    assert "00007" in line and upload.counters["leavers"] == 1
    assert seats_of(upload) == [("Zoe’s seat", "loses", "00007", "")]


def test_gained_users_are_shown_and_only_the_first_of_many(keeper: Any) -> None:
    profile, kind = factories.profile(refreshed_at=timezone.now()), factories.identifier()
    for number in range(60):
        seat(f"p{number}@acme.example", profile=profile, identifier=kind, display_name=f"Seat {number}")
    file = HEADER + "".join(f"{number},Person {number},p{number}@acme.example,\n" for number in range(60))
    upload = world.staged(file, keeper.user)
    page = keeper.get(upload.get_absolute_url())
    assert "60 subscriptions gain a user." in text(page) and "The first 50 of 60." in text(page)
    assert "Seat 49" in page.content.decode() and "Seat 50" not in text(page)
    listed = keeper.get(f"{upload.get_absolute_url()}subscriptions/").getvalue().decode()
    assert listed.count("Gains a user") == 60 and '"Seat 59","p59@acme.example"' in listed


def test_a_seat_that_appeared_after_the_preview_is_shown_before_it_is_taken(keeper: Any, zoe: Any) -> None:
    upload = world.staged(HEADER + "7,Zoe Seven,zoe@acme.example,\n", keeper.user)
    late = seat("zoe@acme.example", display_name="A later seat")
    assert user_of(late) == "00007"
    assert "Look at the new preview" in world.press(keeper, upload, confirmed="on")
    assert Person.objects.count() == 1
    assert [name for name, *_ in seats_of(upload)] == ["Zoe’s seat", "A later seat"]
    assert "Applied" in world.press(keeper, upload, confirmed="on")


def test_a_preview_costs_as_many_queries_for_one_seat_as_for_thirty(keeper: Any) -> None:
    profile, kind = factories.profile(refreshed_at=timezone.now()), factories.identifier()

    def cost(number: int) -> int:
        file = HEADER + "".join(f"{one},Person {one},p{one}@acme.example,\n" for one in range(number))
        with CaptureQueriesContext(connection) as asked:
            upload = world.staged(file, keeper.user)
        assert upload.counters["seats"]["gains"] == number
        return len(asked) + pages.cost(keeper, upload.get_absolute_url())

    for number in range(30):
        seat(f"p{number}@acme.example", profile=profile, identifier=kind)
    cost(1)
    assert cost(1) == cost(30)


def opened(client: Any, path: str) -> dict[str, str]:
    """The form as the page fills it."""
    form = client.get(path).context["form"]
    return {name: "" if (value := form[name].value()) is None else str(value) for name in form.fields}


def hidden(page: Any) -> str:
    found = re.search(r'name="seen" value="(\w+)"', page.content.decode())
    assert found, text(page)
    return found[1]


def test_the_form_shows_a_lost_user_and_saves_after_a_tick(keeper: Any, zoe: Any) -> None:
    new = {"key": "9", "name": "Ann", "addresses": "zoe@acme.example"}
    page = keeper.post("/people/new/", new)
    assert "1 subscription loses its user. Nothing is saved yet." in text(page) and "Zoe’s seat" in text(page)
    assert Person.objects.count() == 1
    seen = {**new, "seen": hidden(page)}
    assert Person.objects.count() == 1 and keeper.post("/people/new/", seen).status_code == 200
    assert keeper.post("/people/new/", {**new, "confirmed": "on"}).status_code == 200, "not what was shown"
    assert keeper.post("/people/new/", {**seen, "confirmed": "on"}).status_code == 302
    assert user_of(zoe) == ""


def test_the_form_shows_a_gained_user_and_saves_when_that_was_seen(keeper: Any) -> None:
    one = seat("ann@acme.example", display_name="Ann’s seat")
    new = {"key": "9", "name": "Ann", "addresses": "ann@acme.example"}
    page = keeper.post("/people/new/", new)
    assert "1 subscription gains a user." in text(page) and "press Save again" in text(page)
    seat("ann@acme.example", display_name="Another seat")
    page = keeper.post("/people/new/", {**new, "seen": hidden(page)})
    assert "2 subscriptions gain a user." in text(page), "something else than was seen"
    assert keeper.post("/people/new/", {**new, "seen": hidden(page)}).status_code == 302
    assert user_of(one) == "9"


def test_forgetting_a_former_address_and_leaving_are_previewed_on_the_form(keeper: Any, zoe: Any) -> None:
    person = Person.objects.get()
    edit = f"{person.get_absolute_url()}edit/"
    assert keeper.post(edit, {**opened(keeper, edit), "addresses": "new@acme.example"}).status_code == 302
    assert user_of(zoe) == "00007", "kept by the former address"
    form = opened(keeper, edit)
    assert form["former_addresses"] == "zoe@acme.example"
    page = keeper.post(edit, {**form, "former_addresses": ""})
    assert "1 subscription loses its user." in text(page) and "Zoe’s seat" in text(page)
    factories.person("zoe@acme.example", key="9", name="Successor", left_on=timezone.localdate() + timedelta(days=9))
    Match.objects.update(person=Person.objects.get(key="9"))
    other = Person.objects.get(key="9")
    left = {**opened(keeper, f"{other.get_absolute_url()}edit/"), "left_on": "2020-01-31"}
    page = keeper.post(f"{other.get_absolute_url()}edit/", left)
    assert "1 subscription passes to another person." in text(page) and "Zoe Seven" in text(page)


def test_deleting_a_person_names_the_seats_it_costs(keeper: Any, zoe: Any) -> None:
    by_hand = seat("x@acme.example", display_name="By hand")
    factories.match(by_hand, Person.objects.get())
    factories.person("x@acme.example", key="5", name="Next")
    page = keeper.get(f"{Person.objects.get(key='00007').get_absolute_url()}delete/")
    assert "1 subscription loses its user, 1 passes to another person." in text(page)
    rows = pages.rows(page.content.decode(), "Subscription")
    assert rows["Zoe’s seat zoe @acme.example"][-1] == "None" and rows["By hand x @acme.example"][-1] == "Next 5"


def rule_form(rule: ResolutionRule, **fields: Any) -> dict[str, Any]:
    return {
        "name": rule.name,
        "active": "on",
        "source": rule.source,
        "lookup": rule.lookup,
        "transform": rule.transform,
        "new_domain": rule.new_domain,
        **fields,
    }


def test_a_change_of_a_rule_shows_whom_it_costs_a_seat(integrator: Any, zoe: Any) -> None:
    rule = ResolutionRule.objects.get()
    off = {name: value for name, value in rule_form(rule).items() if name != "active"}
    page = integrator.post(rule.get_absolute_url(), off)
    assert "1 subscription loses its user." in text(page) and "Zoe’s seat" in text(page)
    rule.refresh_from_db()
    assert rule.active
    assert integrator.post(rule.get_absolute_url(), {**off, "seen": hidden(page)}).status_code == 200
    confirmed = {**off, "seen": hidden(page), "confirmed": "on"}
    assert integrator.post(rule.get_absolute_url(), confirmed).status_code == 302
    assert user_of(zoe) == ""
    assert integrator.post(rule.get_absolute_url(), {**off, "name": "Other"}).status_code == 302, (
        "a name matches nobody"
    )


def test_a_new_rule_and_its_place_show_what_they_change(integrator: Any, zoe: Any) -> None:
    """Zoe's seat has the number of Ann: a rule that looks at it is tried last, and matters when it moves up."""
    factories.person(key="55", name="Ann")
    Subscription.objects.update(employee_id="55")
    rule = ResolutionRule(name="Number", source="employee_id", lookup="key")
    assert integrator.post(f"{RULES}new/", rule_form(rule)).status_code == 302
    rule = ResolutionRule.objects.get(name="Number")
    move = f"{RULES}{rule.pk}/move/"
    page = integrator.post(move, {"direction": "up"})
    assert "1 subscription passes to another person." in text(page) and "Zoe’s seat" in text(page)
    assert ResolutionRule.objects.first() != rule
    integrator.post(move, {"direction": "up", "seen": hidden(page), "confirmed": "on"})
    assert ResolutionRule.objects.first() == rule and user_of(zoe) == "55"
    page = integrator.get(f"{rule.get_absolute_url()}delete/")
    assert "1 subscription passes to another person." in text(page) and "Zoe Seven" in text(page)


def test_previews_write_nothing_and_leave_no_table_behind(keeper: Any, integrator: Any, zoe: Any) -> None:
    before = list(Match.objects.values())
    keeper.post("/people/new/", {"key": "9", "name": "Ann", "addresses": "zoe@acme.example"})
    rule = ResolutionRule.objects.get()
    integrator.post(rule.get_absolute_url(), rule_form(rule, source="any_email", preview="1"))
    assert list(Match.objects.values()) == before and Person.objects.count() == 1
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'")
        else:
            cursor.execute("SELECT name FROM sqlite_temp_master WHERE type = 'table'")
        assert cursor.fetchall() == []


def test_all_that_a_rule_would_change_can_be_downloaded_before_it_is_saved(integrator: Any) -> None:
    profile, kind, rule = factories.profile(), factories.identifier(), ResolutionRule.objects.get()
    for number in range(25):
        person = factories.person(f"p{number}@acme.example", key=str(number))
        one = seat(f"p{number}@acme.example", profile=profile, identifier=kind, display_name=f"Seat {number}")
        factories.match(one, person, rule=rule)
    off = {name: value for name, value in rule_form(rule).items() if name != "active"}
    page = integrator.post(rule.get_absolute_url(), off)
    assert "25 subscriptions lose their user." in text(page) and "The first 20 of 25." in text(page)
    listed = integrator.post(rule.get_absolute_url(), {**off, "download": "1"}).getvalue().decode()
    assert listed.count("Loses its user") == 25 and '"Seat 24","p24@acme.example"' in listed
    gone = integrator.get(f"{rule.get_absolute_url()}delete/?download").getvalue().decode()
    assert gone.count("Loses its user") == 25 and Match.objects.count() == 25
