"""One search for everything: what it finds, for whom, at what cost, and what was opened last."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from samsaas.finder import look_up, sources
from subscriptions.models import Entitlement, Person
from tests import factories, pages, worlds

pytestmark = pytest.mark.django_db
FIND, OPTIONS = "/find/", "/find/options/"


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


def found(client: Any, text: str, address: str = FIND) -> dict[str, list[str]]:
    """The headings of what is found, and the names below each."""
    return {
        group.label: [one.label for one in group.found] for group in client.get(address, {"q": text}).context["groups"]
    }


def test_every_kind_of_record_is_found_by_its_name(reader: Any) -> None:
    profile = factories.profile(display_name="Müller profile")
    seat = factories.subscription(display_name="Anna Müller", email="a@one.example", profile=profile)
    factories.person(name="Anna Müller")
    model = factories.software_model(product="Müller", edition="")
    factories.rule(model, name="Rule of Muller")
    today = timezone.localdate()
    entitlement = Entitlement.objects.create(software_model=model, purchased_rights=1, start=today, contract="Müller")
    candidate = factories.candidate(seat)
    run = factories.run(profile=profile)
    assert found(reader, "MULLER") == {
        "Subscriptions": ["Anna Müller"],
        "People": ["Anna Müller"],
        "Software models": [str(model)],
        "Entitlements": [entitlement.number],
        "Profiles": ["Müller profile"],
        "Job results": [f"Download subscriptions #{run.pk}"],
        "Removal candidates": [str(candidate)],
        "Reclamation rules": ["Rule of Muller"],
    }
    assert found(reader, "müller bob") == {}


def test_numbers_and_a_vendors_id_lead_to_exactly_that_record(reader: Any) -> None:
    seat = factories.subscription(external_id="dbmid:AbC", display_name="Anna")
    run, candidate = factories.run(), factories.candidate(seat)
    assert found(reader, f"#{run.pk}")["Job results"] == [f"Download subscriptions #{run.pk}"]
    assert found(reader, candidate.number) == {"Removal candidates": [str(candidate)]}
    assert found(reader, "dbmid:AbC")["Subscriptions"] == ["Anna"]
    assert found(reader, "dbmid:abc") == {}


def test_a_number_comes_before_what_only_contains_it(reader: Any) -> None:
    wanted = factories.candidate(display_name="Wanted")
    for _ in range(look_up.MOST + 1):
        factories.candidate(display_name=f"Room {wanted.pk}")
    assert found(reader, str(wanted.pk))["Removal candidates"][0] == str(wanted)


def test_pages_and_actions_are_offered_to_those_who_may_open_them(reader: Any, signed_in: Any) -> None:
    admin = signed_in("admin")
    assert found(admin, "import people")["Actions"] == ["Import people"]
    assert found(admin, "hr")["Actions"] == ["Import people"], "other words for it find it, too"
    assert found(admin, "audit")["Pages"] == ["Audit trail"]
    assert found(admin, "colleague")["Actions"] == ["Invite a colleague"]
    for text in ("import people", "audit", "colleague", "resolution rule new"):
        assert "Actions" not in found(reader, text) and "Audit trail" not in str(found(reader, text)), text
    assert found(reader, "people")["Pages"] == ["People"]


def test_every_action_leads_to_a_page(signed_in: Any) -> None:
    admin = signed_in("admin")
    answers = {one.label: admin.get(reverse(one.url_name)).status_code for one in sources.ACTIONS}
    assert set(answers.values()) <= {200, 302}, answers


def test_an_account_without_a_role_has_no_search(signed_in: Any) -> None:
    client = signed_in("")
    assert client.get(FIND).status_code == 403 and client.get(OPTIONS).status_code == 403
    assert 'id="finder"' not in client.get("/").content.decode()


def test_more_than_a_few_lead_to_the_list_of_all(reader: Any) -> None:
    for number in range(look_up.MOST + 3):
        factories.person(name=f"Müller {number}")
    answer = reader.get(FIND, {"q": "muller"})
    (group,) = answer.context["groups"]
    assert len(group.found) == look_up.MOST and group.more_url == "/people/?q=muller"
    assert "All in the list of people" in pages.text_of(answer.content.decode())
    assert pages.rows_behind(reader, group.more_url) == look_up.MOST + 3


def test_thirty_records_of_each_kind_cost_as_many_queries_as_one(reader: Any) -> None:
    def add(number: int) -> None:
        seat = factories.subscription(display_name="Many", profile=factories.profile(display_name=f"Many {number}"))
        factories.match(seat, factories.person(name="Many"))
        factories.candidate(seat)
        factories.run(profile=seat.profile)
        factories.rule(factories.software_model(product="Many"))

    add(0)
    one = pages.cost(reader, f"{OPTIONS}?q=many")
    for number in range(1, 10):
        add(number)
    assert pages.cost(reader, f"{OPTIONS}?q=many") == one


def test_what_was_opened_last_stands_first_and_holds_no_name(reader: Any) -> None:
    ann, bob = factories.person(name="Ann"), factories.person(name="Bob")
    assert found(reader, "") == {}
    for person in (ann, bob, ann):
        address = re.search(r'href="(/find/person-\d+/)"', reader.get(FIND, {"q": person.name}).content.decode())[1]
        assert reader.get(address)["Location"] == person.get_absolute_url()
    assert found(reader, "") == found(reader, "", OPTIONS) == {"Opened last": ["Ann", "Bob"]}
    kept = str([session.get_decoded() for session in Session.objects.all()])
    assert "person" in kept and "Ann" not in kept
    Person.objects.filter(pk=ann.pk).delete()
    assert found(reader, "") == {"Opened last": ["Bob"]}, "what is gone is gone from there, too"
    reader.user.groups.set(Group.objects.none())
    assert reader.get(FIND).status_code == 403


@pytest.mark.parametrize("record", ["person-0", "nothing-1", "person-x", "person", f"person-{'9' * 40}", "x-y-1"])
def test_an_address_that_leads_nowhere_says_so(reader: Any, record: str) -> None:
    assert reader.get(f"/find/{record}/").status_code == 404


def test_nonsense_finds_nothing_and_breaks_nothing(reader: Any) -> None:
    for query in worlds.nonsense(("q",)):
        for address in (FIND, OPTIONS):
            assert reader.get(f"{address}?{query}").status_code == 200, query
    assert "Ensure this value has at most 200" in reader.get(FIND, {"q": "x" * 201}).content.decode()
    assert "Nothing found" in reader.get(FIND, {"q": "xyzzy"}).content.decode()


def test_what_others_wrote_is_escaped_and_stays_in_its_place(reader: Any) -> None:
    factories.person(name="<b>Ann</b>\u202e", department="<i>")
    for address in (FIND, OPTIONS):
        page = reader.get(address, {"q": "ann"}).content.decode()
        assert "<b>Ann" not in page and "<i>" not in page and "&lt;b&gt;Ann" in page


def test_every_page_has_the_search_and_its_button(reader: Any) -> None:
    page = reader.get("/people/").content.decode()
    assert 'href="/find/"' in page and 'id="finder"' in page and "samsaas/finder" in page


def test_seats_that_ended_and_people_who_left_say_so(reader: Any) -> None:
    factories.subscription(display_name="Gone Seat", ended_at=timezone.now())
    factories.person(name="Gone Person", left_on=timezone.localdate() - timedelta(days=3))
    notes = [one.note for group in reader.get(FIND, {"q": "gone"}).context["groups"] for one in group.found]
    assert notes[0].endswith("ended") and notes[1].endswith("left")
