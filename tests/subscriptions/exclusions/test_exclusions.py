"""Exclusion rules: what they exclude before and after saving, at once, everywhere, and by which rule."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from profiles.models import JobRun
from samsaas.models import AuditEntry
from subscriptions.exclusions import exclude
from subscriptions.models import IdentifierExclusion, Match, Subscription, UserExclusion
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

USERS, TYPES = "/exclusions/users/", "/exclusions/identifiers/"


@pytest.fixture(autouse=True)
def silent_queue(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def manager(signed_in: Any) -> Any:
    return signed_in("sam_admin")


@pytest.fixture
def world() -> SimpleNamespace:
    """Two refreshed profiles. Europe: ann and test-bot of one.example, guest of two.example. Asia: test-bot, cleo."""
    europe = factories.profile(display_name="Europe", refreshed_at=timezone.now())
    asia = factories.profile(display_name="Asia", refreshed_at=timezone.now())
    model = factories.software_model(edition="Full")
    full = factories.identifier(identifier="full", software_model=model)
    guests = factories.identifier(identifier="guests", software_model=model)
    seats = {}
    for name, profile, kind, email in (
        ("ann", europe, full, "ann@one.example"),
        ("bot", europe, full, "Test-Bot@ONE.example"),
        ("guest", europe, guests, "guest@two.example"),
        ("asian bot", asia, full, "test-bot@one.example"),
        ("cleo", asia, full, "cleo@sub.one.example"),
    ):
        seats[name] = factories.subscription(profile=profile, identifier=kind, display_name=name, email=email)
    return SimpleNamespace(europe=europe, asia=asia, model=model, full=full, guests=guests, seats=seats)


def left_out() -> set[str]:
    return set(Subscription.objects.left_out().values_list("display_name", flat=True))


def user_rule(client: Any, path: str = f"{USERS}new/", **fields: Any) -> Any:
    """As somebody who means it: where the page asks for a tick, it is given."""
    answer = client.post(path, {"active": "on", **fields})
    tick = re.search(r'name="sure" value="(\d+)"', answer.content.decode())
    return (
        client.post(path, {"active": "on", **fields, "sure": tick[1]}) if tick and "preview" not in fields else answer
    )


def type_rule(client: Any, kind: Any, **fields: Any) -> Any:
    return user_rule(client, f"{TYPES}new/", identifier=kind.pk, **fields)


def test_a_preview_tells_what_an_unsaved_rule_would_leave_out_and_changes_nothing(manager: Any, world: Any) -> None:
    page = user_rule(manager, pattern="test-*", preview="1").content.decode()
    assert "2 listed subscriptions" in pages.text_of(page)
    assert pages.rows(page, "Profile") == {"Asia": ["1", "2"], "Europe": ["1", "3"]}
    assert world.seats["bot"].get_absolute_url() in page and world.seats["ann"].get_absolute_url() not in page
    page = type_rule(manager, world.guests, preview="1").content.decode()
    assert pages.rows(page, "Profile") == {"Europe": ["1", "3"]}
    assert not UserExclusion.objects.exists() and not IdentifierExclusion.objects.exists()
    assert left_out() == set() and not AuditEntry.objects.exists()


def test_a_saved_rule_applies_at_once_to_every_profile_and_people_are_matched_again(manager: Any, world: Any) -> None:
    said = manager.post(f"{USERS}new/", {"active": "on", "pattern": "Test-*"}, follow=True).content.decode()
    assert "2 subscriptions were excluded or count again" in said
    assert left_out() == {"bot", "asian bot"}
    asked = JobRun.objects.active().filter(process="match_people")
    assert {run.profile for run in asked} == {world.europe, world.asia}
    line = AuditEntry.objects.get(verb="created exclusion rule")
    assert line.object_name == "User test-*" and line.detail["profile"] == "every profile"


def test_a_rule_for_one_profile_leaves_the_others_alone(manager: Any, world: Any) -> None:
    user_rule(manager, pattern="test-*", profile=world.asia.pk)
    assert left_out() == {"asian bot"}
    assert {run.profile for run in JobRun.objects.all()} == {world.asia}


PATTERNS = [
    ({"pattern": "ann@one.example"}, {"ann"}),
    ({"pattern": "ANN@One.Example"}, {"ann"}),
    ({"pattern": "ann"}, set()),
    ({"pattern": "a*"}, {"ann"}),
    ({"pattern": "*bot@*"}, {"bot", "asian bot"}),
    ({"domain": "one.example"}, {"ann", "bot", "asian bot"}),
    ({"domain": "@ONE.example"}, {"ann", "bot", "asian bot"}),
    ({"domain": "example"}, set()),
    ({"pattern": "*@*one.example"}, {"ann", "bot", "asian bot", "cleo"}),
    ({"pattern": "test_bot@one.example"}, set()),
    ({"pattern": "%@one.example"}, set()),
    ({"pattern": "ann\\"}, set()),
]


@pytest.mark.parametrize(("fields", "names"), PATTERNS, ids=str)
def test_only_an_asterisk_is_special_and_the_case_of_letters_is_not(
    manager: Any, world: Any, fields: dict[str, str], names: set[str]
) -> None:
    previewed = user_rule(manager, **fields, preview="1").content.decode()
    user_rule(manager, **fields)
    assert left_out() == names
    shown = {name for name, seat in world.seats.items() if seat.get_absolute_url() in previewed}
    assert shown == names, "the preview kept its word"
    rule = UserExclusion.objects.get()
    for name, seat in world.seats.items():
        assert exclude.rules_for(seat) == ([rule] if name in names else []), name


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"pattern": "*"}, "This would exclude everybody."),
        ({"pattern": "*@*.*"}, "This would exclude everybody."),
        ({"domain": "*"}, "Give one domain"),
        ({"domain": "two words"}, "Give one domain"),
        ({}, "Give either a user principal name or a domain."),
        ({"pattern": "a@b.example", "domain": "b.example"}, "Give either"),
        ({"pattern": "x" * 321}, "at most 320"),
    ],
    ids=str,
)
def test_a_rule_that_names_nobody_or_everybody_is_refused(
    manager: Any, world: Any, fields: dict[str, str], said: str
) -> None:
    for more in ({}, {"preview": "1"}):
        answer = user_rule(manager, **fields, **more)
        page = answer.content.decode()
        assert answer.status_code == 200 and page.count(said) == 1 and "onstraint" not in page
    live = manager.post(f"{USERS}new/", {"active": "on", **fields, "preview": "1"}, headers={"HX-Request": "true"})
    assert said in live.content.decode().split('id="preview"')[1], "while it is being filled in, the preview says it"
    assert not UserExclusion.objects.exists() and left_out() == set()


def test_the_same_rule_twice_is_refused(manager: Any, world: Any) -> None:
    for _ in range(2):
        last = user_rule(manager, domain="one.example")
        other = type_rule(manager, world.guests)
    assert "This rule exists already" in last.content.decode()
    assert "This rule exists already" in other.content.decode()
    assert UserExclusion.objects.count() == IdentifierExclusion.objects.count() == 1


def test_listed_is_current_plus_left_out_on_every_page(manager: Any, world: Any) -> None:
    type_rule(manager, world.guests)
    user_rule(manager, pattern="test-*", profile=world.europe.pk)
    assert left_out() == {"guest", "bot"}

    europe = pages.text_of(manager.get(f"{world.europe.get_absolute_url()}subscriptions/").content.decode())
    assert "The vendor lists 3: 1 current and 2 excluded" in europe
    model = pages.rows(manager.get(world.model.get_absolute_url()).content.decode(), "Profile")
    assert model["Europe"][:3] == ["1", "1", "2"] and model["Asia"][:3] == ["2", "2", "0"]
    assert pages.rows(manager.get("/software-models/").content.decode(), "Software model")["Dropbox Business Full"][
        2:5
    ] == ["3", "3", "2"]
    listed = Subscription.objects.listed().count()
    everywhere = ("/subscriptions/", "/subscriptions/?seats=excluded")
    assert sum(pages.rows_behind(manager, url) for url in everywhere) == listed == 5
    assert pages.rows_behind(manager, "/subscriptions/?license=yes") == 3
    worlds.count_seats()
    profile = world.europe.get_absolute_url()
    for path in ("/", profile, f"{profile}subscriptions/", world.model.get_absolute_url(), TYPES):
        for url, number in pages.figures(manager.get(path).content.decode()).items():
            if url.startswith("/subscriptions/"):
                assert pages.rows_behind(manager, url) == number, (path, url)


def test_a_profile_whose_seats_are_all_left_out_still_shows_them(manager: Any, world: Any) -> None:
    user_rule(manager, pattern="*@*one.example")
    page = pages.text_of(manager.get(f"{world.asia.get_absolute_url()}subscriptions/").content.decode())
    assert "The vendor lists 2: 0 current and 2 excluded" in page


def test_a_rule_that_is_switched_off_gives_its_seats_back_and_they_find_their_people(manager: Any, world: Any) -> None:
    person = factories.person("ann@one.example")
    Subscription.objects.filter(display_name="ann").update(email_verified=True)
    from subscriptions.models import ResolutionRule  # noqa: PLC0415

    if not ResolutionRule.objects.exists():
        ResolutionRule.objects.create(name="E-mail")
    user_rule(manager, pattern="ann@*")
    worlds.work_on()
    assert left_out() == {"ann"} and not Match.objects.exists()
    rule = UserExclusion.objects.get()
    manager.post(rule.get_absolute_url(), {"pattern": "ann@*"})
    assert left_out() == set()
    worlds.work_on()
    assert Match.objects.get().person == person
    line = AuditEntry.objects.get(verb="changed exclusion rule")
    assert line.detail == {"active": {"before": True, "after": False}}


def test_a_preview_says_how_many_come_back_when_a_rule_is_edited_or_switched_off(manager: Any, world: Any) -> None:
    user_rule(manager, domain="one.example")
    type_rule(manager, world.full, profile=world.asia.pk)
    assert left_out() == {"ann", "bot", "asian bot", "cleo"}
    rule = UserExclusion.objects.get()

    def said(**fields: Any) -> str:
        answer = manager.post(rule.get_absolute_url(), {**fields, "preview": "1"})
        return pages.text_of(answer.content.decode().split('id="preview"')[1])

    assert "back" not in said(domain="one.example", active="on")
    off = said(domain="one.example")
    assert "Switched off, the rule excludes nobody. 2 subscriptions that are excluded now come back." in off
    narrower = said(pattern="ann@*", active="on")
    assert (
        "1 listed subscription; 1 of them is excluded now. 1 subscription that is excluded now comes back." in narrower
    )
    assert left_out() == {"ann", "bot", "asian bot", "cleo"}
    manager.post(rule.get_absolute_url(), {"domain": "one.example"})
    assert left_out() == {"asian bot", "cleo"}, "the preview kept its word"


def test_a_rule_that_takes_most_of_a_profile_warns_and_wants_a_tick_for_that_very_number(
    manager: Any, world: Any
) -> None:
    fields = {"pattern": "*@*one.example", "active": "on"}
    page = manager.post(f"{USERS}new/", fields).content.decode()
    text = pages.text_of(page)
    assert "That is everybody in Asia" in text and "That is 2 of 3 in Europe" in text and "Nothing is saved yet" in text
    assert re.search(r'name="sure" value="4"[^>]*form="exclusion-form"', page) and 'id="exclusion-form"' in page
    manager.post(f"{USERS}new/", {**fields, "sure": "3"})
    assert left_out() == set() and not UserExclusion.objects.exists(), "a tick for another number is none"
    manager.post(f"{USERS}new/", {**fields, "sure": "4"})
    assert left_out() == {"ann", "bot", "asian bot", "cleo"}
    rule = UserExclusion.objects.get()
    assert 'name="sure"' not in manager.get(rule.get_absolute_url()).content.decode()
    answer = manager.post(rule.get_absolute_url(), {**fields, "reason": "No new seat, no question"})
    assert answer.status_code == 302


def test_a_rule_that_takes_half_of_a_profile_asks_nothing(manager: Any, world: Any) -> None:
    page = user_rule(manager, pattern="test-*", preview="1").content.decode()
    assert "everybody" not in page and 'name="sure"' not in page
    assert manager.post(f"{USERS}new/", {"active": "on", "pattern": "test-*"}).status_code == 302


def test_a_rule_moved_to_another_profile_applies_to_both(manager: Any, world: Any) -> None:
    user_rule(manager, pattern="test-*", profile=world.europe.pk)
    rule = UserExclusion.objects.get()
    user_rule(manager, rule.get_absolute_url(), pattern="test-*", profile=world.asia.pk, reason="A robot")
    assert left_out() == {"asian bot"}
    changed = AuditEntry.objects.get(verb="changed exclusion rule").detail
    assert changed["profile"] == {"before": "Europe", "after": "Asia"}


def test_deleting_asks_first_and_gives_back_only_what_no_other_rule_leaves_out(manager: Any, world: Any) -> None:
    user_rule(manager, pattern="test-*")
    user_rule(manager, domain="one.example", profile=world.asia.pk)
    assert left_out() == {"bot", "asian bot"}
    path = f"{USERS}{UserExclusion.objects.get(pattern='test-*').pk}/delete/"
    asked = pages.text_of(manager.get(path).content.decode())
    assert "2 listed subscriptions" in asked and "1 subscription that only this rule excludes counts again" in asked
    assert UserExclusion.objects.count() == 2
    manager.post(path)
    assert left_out() == {"asian bot"} and UserExclusion.objects.count() == 1
    assert AuditEntry.objects.filter(verb="deleted exclusion rule", object_name="User test-*").exists()


def test_a_subscription_names_every_rule_that_leaves_it_out_and_no_other(manager: Any, world: Any) -> None:
    type_rule(manager, world.full, reason="Free of charge")
    user_rule(manager, pattern="test-*", reason="Robots")
    user_rule(manager, domain="two.example", reason="Not ours")
    UserExclusion.objects.create(pattern="*bot*", active=False, reason="Switched off")
    UserExclusion.objects.create(pattern="*bot*", profile=world.asia, reason="Of another profile")
    page = manager.get(world.seats["bot"].get_absolute_url()).content.decode()
    assert "<strong>Excluded</strong>" in page and "Free of charge" in page and "Robots" in page
    for other in ("Not ours", "Switched off", "Of another profile"):
        assert other not in page
    license = pages.text_of(page.split("Uses a license")[1][:600])
    assert license.startswith("No")


def test_the_list_counts_what_each_active_rule_leaves_out_now(manager: Any, world: Any) -> None:
    user_rule(manager, pattern="test-*")
    user_rule(manager, domain="one.example", profile=world.asia.pk)
    user_rule(manager, pattern="nobody@*")
    UserExclusion.objects.create(pattern="guest@*", active=False)
    counted = {
        name: cells[-1]
        for name, cells in pages.rows(manager.get(USERS).content.decode(), "User principal name").items()
    }
    assert {name.replace(" ", ""): count for name, count in counted.items()} == {
        "test-*": "2",
        "*@one.example": "1",
        "nobody@*": "0",
        "guest@*": "–",
    }
    type_rule(manager, world.full, profile=world.asia.pk)
    assert pages.rows(manager.get(TYPES).content.decode(), "Subscription identifier")["full"][-1] == "2"
    assert pages.rows_behind(manager, f"{USERS}?profile={world.europe.pk}") == 3
    assert pages.rows_behind(manager, f"{USERS}?active=no") == pages.rows_behind(manager, f"{USERS}?q=guest") == 1


def test_a_new_download_leaves_out_what_the_rules_say(connected: Any, manager: Any) -> None:
    worlds.work_on()
    first = Subscription.objects.current().order_by("pk").first()
    assert first is not None
    kept = Subscription.objects.current().count()
    user_rule(manager, pattern=first.email)
    again = manager.get(first.get_absolute_url()).content.decode()
    assert "<strong>Excluded</strong>" in again
    Subscription.objects.filter(pk=first.pk).delete()
    from profiles.jobs import queue  # noqa: PLC0415

    queue.request(queue.Request("download_subscriptions", JobRun.Trigger.SCHEDULE, profile=connected))
    worlds.work_on()
    assert Subscription.objects.current().count() == kept - 1
    assert Subscription.objects.left_out().get().email == first.email


def test_a_reader_sees_rules_and_cannot_change_them(signed_in: Any, world: Any) -> None:
    rule = UserExclusion.objects.create(pattern="test-*")
    reader = signed_in("sam_user")
    assert "New rule" not in reader.get(USERS).content.decode()
    for path in (f"{USERS}new/", rule.get_absolute_url(), f"{rule.get_absolute_url()}delete/"):
        assert reader.get(path).status_code == reader.post(path, {"pattern": "a@*"}).status_code == 403
    assert UserExclusion.objects.get().pattern == "test-*"


@pytest.mark.parametrize("path", [USERS, TYPES])
def test_thirty_rules_cost_as_many_queries_as_one(manager: Any, world: Any, path: str) -> None:
    def more(number: int) -> None:
        UserExclusion.objects.create(pattern=f"{number}@*")
        IdentifierExclusion.objects.create(identifier=factories.identifier(), profile=world.asia)

    more(0)
    one = pages.cost(manager, path)
    for number in range(1, 30):
        more(number)
    assert pages.cost(manager, path) == one


def test_the_page_of_a_seat_costs_the_same_whatever_the_number_of_rules(manager: Any, world: Any) -> None:
    user_rule(manager, pattern="ann@*")
    path = world.seats["ann"].get_absolute_url()
    one = pages.cost(manager, path)
    for number in range(29):
        user_rule(manager, pattern=f"ann@{number}*")
    assert pages.cost(manager, path) == one


def test_nonsense_in_the_address_gives_a_page(manager: Any, world: Any) -> None:
    UserExclusion.objects.create(pattern="test-*")
    for path in (USERS, TYPES):
        for query in worlds.nonsense(("q", "active", "profile", "sort", "page", "per_page")):
            assert manager.get(f"{path}?{query}").status_code == 200, query[:200]


def test_before_the_first_rule_the_list_says_what_rules_are_for(manager: Any) -> None:
    assert "No user is excluded" in manager.get(USERS).content.decode()
    assert "No identifier is excluded" in manager.get(TYPES).content.decode()
