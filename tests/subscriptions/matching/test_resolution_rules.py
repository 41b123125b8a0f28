"""User resolution rules on their pages: written, tried out, ordered, switched off, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from profiles.models import JobRun
from samsaas.models import AuditEntry
from subscriptions.models import Match, ResolutionRule
from tests import factories, pages

pytestmark = pytest.mark.django_db
LIST = "/user-resolution-rules/"
FIRST = "E-mail address of a verified account"


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


def form(**fields: Any) -> dict[str, Any]:
    usual = {"name": "By number", "active": "on", "source": "employee_id", "lookup": "key", "transform": "none"}
    return {**usual, "new_domain": "", **fields}


def names() -> list[str]:
    return list(ResolutionRule.objects.values_list("name", flat=True))


def test_a_new_installation_has_one_rule_for_verified_addresses(integrator: Any) -> None:
    rows = pages.rows(integrator.get(LIST).content.decode(), "Order")
    assert rows["1"][:5] == [FIRST, "Verified e-mail address", "None", "E-mail address", "Every profile"]


def test_a_new_rule_comes_last_and_asks_for_matches(integrator: Any) -> None:
    here = factories.profile(refreshed_at=timezone.now(), display_name="Europe")
    integrator.post(f"{LIST}new/", form(profiles=[here.pk]))
    assert names() == [FIRST, "By number"]
    rule = ResolutionRule.objects.get(name="By number")
    assert list(rule.profiles.all()) == [here]
    assert JobRun.objects.filter(process="match_people", profile=here).count() == 1
    assert AuditEntry.objects.get(verb="created resolution rule").detail["after"]["profiles"] == "Europe"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"transform": "replace_domain"}, "needs the new domain"),
        ({"transform": "remove_domain", "lookup": "address"}, "is not an address"),
        ({"new_domain": "example.com"}, "Only Replace domain"),
        ({"transform": "replace_domain", "lookup": "address", "new_domain": "no domain"}, "not a domain such as"),
        ({"name": FIRST.upper()}, "Another rule has this name"),
        ({"name": "a\u202eb"}, "cannot be shown"),
        ({"source": "shoe_size"}, "valid choice"),
        ({"profiles": ["999"]}, "valid choice"),
    ],
)
def test_fields_that_do_not_fit_together_are_refused(integrator: Any, fields: Any, reason: str) -> None:
    answer = integrator.post(f"{LIST}new/", form(**fields))
    assert answer.status_code == 200 and reason in pages.text_of(answer.content.decode())
    assert names() == [FIRST]


def test_a_domain_is_stored_as_addresses_are_compared(integrator: Any) -> None:
    integrator.post(f"{LIST}new/", form(transform="replace_domain", lookup="address", new_domain=" @Example.COM "))
    assert ResolutionRule.objects.get(name="By number").new_domain == "example.com"


def test_a_preview_counts_what_the_rule_would_match_and_saves_nothing(integrator: Any) -> None:
    here, there = factories.profile(), factories.profile()
    anna = factories.person(key="1001", name="Anna")
    kind = factories.identifier()
    for profile, name in ((here, "Anna’s seat"), (there, "Her other seat")):
        factories.subscription(profile=profile, identifier=kind, employee_id="1001", display_name=name)
    everywhere = integrator.post(f"{LIST}new/", form(preview="1")).content.decode()
    assert "2 current subscriptions of 1 person" in pages.text_of(everywhere)
    assert "Anna’s seat" in everywhere and anna.name in everywhere
    one = integrator.post(f"{LIST}new/", form(preview="1", profiles=[here.pk])).content.decode()
    assert "1 current subscription of 1 person" in pages.text_of(one) and "Her other seat" not in one
    assert names() == [FIRST] and not Match.objects.exists() and not JobRun.objects.exists()


def test_a_preview_shows_first_what_would_change(integrator: Any) -> None:
    profile, kind, rule = factories.profile(), factories.identifier(), ResolutionRule.objects.get()
    seats = {}
    for number in range(25):
        person = factories.person(key=f"{number}", name=f"Person {number}")
        seats[number] = factories.subscription(profile=profile, identifier=kind, employee_id=f"{number}")
        factories.match(seats[number], person, rule=rule)
    for number in (22, 23, 24):
        seats[number].match.delete()
    factories.match(seats[24], factories.person(name="Somebody Else"), rule=rule)
    factories.match(seats[22], factories.person(name="By Hand"))
    page = integrator.post(f"{LIST}new/", form(preview="1")).content.decode()
    assert "1 of them has no user now, 1 has another one by a rule" in pages.text_of(page)
    sample = list(pages.rows(page, "Subscription").values())
    assert len(sample) == 20
    assert sample[0] == ["Person 23 23", "None"]
    assert sample[1][0] == "Person 24 24" and sample[1][1].startswith("Somebody Else E")
    assert sample[2] == ["Person 0 0", "The same"] and "By Hand" not in page, "a match by hand stays"


def test_a_preview_without_a_match_shows_what_was_looked_for_and_what_the_directory_has(integrator: Any) -> None:
    profile = factories.profile()
    wanted = form(
        preview="1", lookup="address", transform="replace_domain", new_domain="new.example", source="any_email"
    )
    nothing = pages.text_of(integrator.post(f"{LIST}new/", wanted).content.decode())
    assert "No current subscription there has this source field: E-mail address, verified or not." in nothing
    assert "The directory has nobody with this look up field: E-mail address." in nothing
    factories.subscription(profile=profile, email="Ann@old.example")
    factories.subscription(profile=profile, email="team@old.example")
    for _ in range(2):
        factories.person("team@new.example")
    page = integrator.post(f"{LIST}new/", wanted).content.decode().replace("<wbr>", "")
    assert pages.rows(page, "E-mail address, verified or not") == {
        "Ann@old.example": ["ann@new.example", "0"],
        "team@old.example": ["team@new.example", "2"],
    }
    assert "The directory has, under “E-mail address”: team@new.example" in pages.text_of(page)


def test_a_preview_of_a_stored_rule_leaves_it_as_it_is(integrator: Any) -> None:
    rule = ResolutionRule.objects.get()
    integrator.post(rule.get_absolute_url(), form(preview="1"))
    rule.refresh_from_db()
    assert rule.name == FIRST and rule.source == "email"


def test_a_preview_costs_the_same_for_one_match_and_for_thirty(integrator: Any) -> None:
    profile, kind = factories.profile(), factories.identifier()

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            integrator.post(f"{LIST}new/", form(preview="1"))
        return len(asked)

    factories.person(key="0"), factories.subscription(profile=profile, identifier=kind, employee_id="0")
    cost()
    one = cost()
    for number in range(1, 30):
        factories.person(key=f"{number}")
        factories.subscription(profile=profile, identifier=kind, employee_id=f"{number}")
    assert cost() == one


def test_rules_move_up_and_down_and_stop_at_the_ends(integrator: Any) -> None:
    for name in ("Second", "Third"):
        integrator.post(f"{LIST}new/", form(name=name))

    def move(name: str, direction: str) -> list[str]:
        rule = ResolutionRule.objects.get(name=name)
        page = integrator.post(f"{LIST}{rule.pk}/move/", {"direction": direction}, follow=True).content.decode()
        shown = [cells[0] for cells in pages.rows(page, "Order").values()]
        assert shown == names(), "the page lists the rules in the order that decides"
        return shown

    assert move("Third", "up") == [FIRST, "Third", "Second"]
    assert move("Third", "up") == ["Third", FIRST, "Second"]
    assert move("Third", "up") == ["Third", FIRST, "Second"]
    assert move("Third", "down") == [FIRST, "Third", "Second"]
    assert move("Second", "sideways") == [FIRST, "Third", "Second"]
    assert AuditEntry.objects.filter(verb="moved resolution rule").count() == 3


def test_moving_works_where_rules_hold_the_same_place(integrator: Any) -> None:
    ResolutionRule.objects.create(name="Twin", order=10)
    twin = ResolutionRule.objects.get(name="Twin")
    integrator.post(f"{LIST}{twin.pk}/move/", {"direction": "up"})
    assert names() == ["Twin", FIRST]


def test_deleting_says_how_many_matches_go(integrator: Any) -> None:
    rule, kept = ResolutionRule.objects.get(), factories.person()
    factories.match(factories.subscription(), kept, rule=rule)
    factories.match(factories.subscription(), kept)
    page = integrator.get(f"{rule.get_absolute_url()}delete/").content.decode()
    assert "1 match made by this rule" in pages.text_of(page)
    integrator.post(f"{rule.get_absolute_url()}delete/")
    assert names() == [] and [match.by_hand for match in Match.objects.all()] == [True]
    assert "No rule" in integrator.get(LIST).content.decode()


def test_a_changed_rule_is_told_before_and_after(integrator: Any) -> None:
    rule = ResolutionRule.objects.get()
    integrator.post(rule.get_absolute_url(), form(name=FIRST, source="any_email", lookup="address", active=""))
    told = AuditEntry.objects.get(verb="changed resolution rule").detail
    assert told["before"] == {"active": "True", "source": "email"}
    assert told["after"] == {"active": "False", "source": "any_email"}


def test_integrators_and_admins_manage_rules_and_everybody_reads_them(signed_in: Any) -> None:
    rule = ResolutionRule.objects.get()
    for role, allowed in {"sam_user": False, "sam_admin": False, "sam_integrator": True, "admin": True}.items():
        client = signed_in(role)
        page = client.get(LIST)
        assert page.status_code == 200 and (f"{LIST}new/" in page.content.decode()) == allowed
        for path in (f"{LIST}new/", rule.get_absolute_url(), f"{rule.get_absolute_url()}delete/"):
            assert (client.get(path).status_code == 200) == allowed, (role, path)
        assert (client.post(f"{LIST}{rule.pk}/move/", {"direction": "up"}).status_code == 302) == allowed


def test_the_list_costs_the_same_for_one_rule_and_for_thirty(integrator: Any) -> None:
    one = pages.cost(integrator, LIST)
    profile = factories.profile()
    for number in range(29):
        ResolutionRule.objects.create(name=f"Rule {number}").profiles.add(profile)
    assert pages.cost(integrator, LIST) == one
