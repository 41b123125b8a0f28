"""Whose a seat is when people leave, come back, marry, or share an address: history never competes with the present."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from subscriptions.matching import suggest
from subscriptions.models import FormerAddress, Person, ResolutionRule, Subscription
from subscriptions.people import edit as edit_people
from tests import factories, pages, worlds
from tests.subscriptions.people import people_world as world
from tests.subscriptions.users.users_world import seat, user_of

pytestmark = pytest.mark.django_db
ADDRESS = "rita@acme.example"
HEADER = "employee number,name,e-mails,left on\n"


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def in_days(days: int | None) -> date | None:
    return None if days is None else timezone.localdate() + timedelta(days=days)


# The last days of the people who have the address, in days from today (None: none), and whose number the seat gets.
SHARED: dict[str, tuple[list[int | None], str]] = {
    "one who is here": ([None], "0"),
    "one who left": ([-500], "0"),
    "rehired under a new number": ([-500, None], "1"),
    "two who left, and one who is here": ([-900, -500, None], "2"),
    "one who left, and one whose last day is still to come": ([-500, 30], "1"),
    "one who left, and one whose last day is today": ([-500, 0], "1"),
    "somebody whose last day is today, and a successor": ([0, None], ""),
    "somebody whose last day is still to come, and a successor": ([30, None], ""),
    "two who are here": ([None, None], ""),
    "two who are here, and one who left": ([None, None, -1], ""),
    "two who left, one after the other": ([-900, -500], "1"),
    "two who left on one day": ([-500, -500], ""),
    "two who left on one day, and one long before": ([-500, -500, -900], ""),
}


@pytest.mark.parametrize("days", SHARED)
@pytest.mark.parametrize("value", ["address", "number"])
def test_somebody_who_left_does_not_compete_with_who_is_here(days: str, value: str) -> None:
    """By address, and by an employee number that the vendor knows: numbers that differ in case are the same to it."""
    people, expected = SHARED[days]
    for number, left in enumerate(people):
        if value == "address":
            factories.person(ADDRESS, key=str(number), left_on=in_days(left))
        else:
            factories.person(key=("abc", "ABC", "Abc")[number], name=str(number), left_on=in_days(left))
    one = seat(ADDRESS, employee_id="abc")
    if value == "number":
        ResolutionRule.objects.update(source="employee_id", lookup="key")
        expected = {"": ""}.get(expected, ("abc", "ABC", "Abc")[int(expected or 0)])
    assert user_of(one) == expected


def test_the_seat_of_somebody_who_leaves_stays_theirs_and_says_so(keeper: Any) -> None:
    factories.person(ADDRESS, key="100", left_on=in_days(-900))
    rita = factories.person(ADDRESS, key="900", name="Rita")
    one = seat(ADDRESS)
    assert user_of(one) == "900"
    Person.objects.filter(pk=rita.pk).update(left_on=in_days(-1))
    assert user_of(one) == "900"
    assert pages.rows_behind(keeper, "/subscriptions/?user=left") == 1


def test_a_later_rule_that_finds_who_is_here_goes_before_an_earlier_one_that_finds_who_left() -> None:
    factories.person(ADDRESS, key="100", left_on=in_days(-900))
    factories.person(key="900")
    one = seat(ADDRESS, employee_id="900")
    ResolutionRule.objects.create(name="Number", source="employee_id", lookup="key", order=500)
    assert user_of(one) == "900"
    Person.objects.filter(key="900").update(left_on=in_days(-1))
    assert user_of(one) == "100", "both left: the order of the rules decides"


def test_the_last_day_is_a_day_of_work_everywhere(keeper: Any) -> None:
    """On the page of the list, in its filter, in the filter of people, on home, and in the preview of an import."""
    for number, days in enumerate((-1, 0, 1)):
        person = factories.person(key=str(number), name=f"Leaver {number}", left_on=in_days(days))
        factories.match(factories.subscription(display_name=f"Seat {number}"), person)
    assert [person.has_left for person in Person.objects.order_by("key")] == [True, False, False]
    rows = pages.rows(keeper.get("/subscriptions/").content.decode(), "Display name")
    assert [name for name, cells in rows.items() if "Left" in " ".join(cells).split()] == ["Seat 0"]
    assert pages.rows_behind(keeper, "/subscriptions/?user=left") == 1
    assert pages.rows_behind(keeper, "/people/?state=left") == 1
    assert pages.rows_behind(keeper, "/people/?state=active") == 2
    worlds.count_seats()
    assert pages.figures(keeper.get("/").content.decode())["/subscriptions/?user=left&license=yes"] == 1
    said = world.effects(world.staged(HEADER + "0,Leaver 0,,\n1,Leaver 1,,\n2,Leaver 2,,\n", keeper.user))
    assert said == {"0": "back", "1": "changed", "2": "changed"}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_last_day_ends_with_the_day_of_the_installation(settings: Any, zone: str) -> None:
    settings.TIME_ZONE = zone
    today = timezone.localdate()
    for day, key in ((today, "0"), (today - timedelta(days=1), "1")):
        factories.person(f"p{key}@acme.example", key=key, left_on=day)
    assert [person.key for person in Person.objects.leavers()] == ["1"]
    assert [person.key for person in Person.objects.not_leavers()] == ["0"]


def test_suggestions_name_who_is_here_first_and_count_only_them() -> None:
    factories.person(ADDRESS, name="Left", left_on=in_days(-1))
    factories.person(ADDRESS, name="Last day today", left_on=in_days(0))
    one = seat(ADDRESS, email_verified=False)
    found = [(hint.person.name, hint.reason) for hint in suggest.run([one])[one.pk]]
    why = "Same address, but the vendor has not verified it"
    assert found == [("Last day today", why), ("Left", why)]


def renamed(keeper: Any, old: str = "mia.old@acme.example", new: str = "mia.new@acme.example") -> Subscription:
    """A seat with an address that HR has renamed since it was matched."""
    one = seat(old)
    world.applied(world.staged(HEADER + f"500,Mia Old,{old},\n", keeper.user), keeper.user)
    assert user_of(one) == "500"
    world.applied(world.staged(HEADER + f"500,Mia New,{new},\n", keeper.user), keeper.user)
    return one


def test_a_renamed_address_keeps_the_user_and_stays_known(keeper: Any) -> None:
    one = renamed(keeper)
    assert user_of(one) == "500"
    mia = Person.objects.get(key="500")
    assert [held.address for held in mia.addresses.all()] == ["mia.new@acme.example"]
    said = pages.text_of(keeper.get(mia.get_absolute_url()).content.decode().replace("<wbr>", ""))
    assert "Former addresses mia.old@acme.example until" in said


def test_an_address_that_comes_back_is_no_former_one(keeper: Any) -> None:
    one = renamed(keeper)
    world.applied(world.staged(HEADER + "500,Mia Old,mia.old@acme.example,\n", keeper.user), keeper.user)
    assert list(FormerAddress.objects.values_list("address", flat=True)) == ["mia.new@acme.example"]
    assert user_of(one) == "500"


def test_an_emptied_cell_takes_the_addresses_off_and_keeps_the_user(keeper: Any) -> None:
    """HR systems clear the addresses of people who leave."""
    one = renamed(keeper)
    world.applied(world.staged(HEADER + f"500,Mia,,{in_days(-2)}\n", keeper.user), keeper.user)
    mia = Person.objects.get(key="500")
    assert mia.addresses.count() == 0 and mia.has_left
    assert user_of(one) == "500"


def test_whoever_gets_the_address_of_somebody_else_gets_the_seat(keeper: Any) -> None:
    one = renamed(keeper)
    factories.person("mia.old@acme.example", key="700")
    assert user_of(one) == "700"
    Person.objects.filter(key="700").update(left_on=in_days(5))
    assert user_of(one) == "700"


def test_of_two_who_had_the_address_once_the_last_one_has_the_seat() -> None:
    """Rita left, came back under another number, and was renamed; or her successor left after her."""
    one = seat(ADDRESS)
    factories.person(ADDRESS, key="100", left_on=in_days(-900))
    back = factories.person("rita.new@acme.example", key="900")
    FormerAddress.objects.create(person=back, address=ADDRESS, until=in_days(-30))
    assert user_of(one) == "900"
    Person.objects.filter(key="100").update(left_on=in_days(-2))
    assert user_of(one) == "100"


def test_an_address_several_had_once_and_lost_on_one_day_leads_to_none(keeper: Any) -> None:
    one = seat("team@acme.example")
    both = "1,Ann,team@acme.example,\n2,Bob,team@acme.example,\n"
    world.applied(world.staged(HEADER + both, keeper.user), keeper.user)
    assert user_of(one) == ""
    world.applied(world.staged(HEADER + both.replace("team@", "other@"), keeper.user), keeper.user)
    assert user_of(one) == ""


def test_a_former_address_is_forgotten_on_the_form(keeper: Any) -> None:
    one = renamed(keeper)
    mia = Person.objects.get(key="500")
    data = {"key": "500", "name": "Mia", "department": "", "manager": "", "cost_center": "", "country": ""}
    data |= {"left_on": None, "addresses": ["mia.new@acme.example"], "version": edit_people.version(mia)}
    edit_people.change(mia.pk, {**data, "former_addresses": []}, by=keeper.user)
    assert not FormerAddress.objects.exists() and user_of(one) == ""
