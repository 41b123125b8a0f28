"""The pages of reclamation rules: the list, one rule with all that is known of it, and where other pages lead to it."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from profiles.jobs import queue
from profiles.models import JobRun
from reclamation.models import Exemption, Observation, ReclamationRule, RemovalAttempt
from reclamation.rules import edit_rule
from reclamation.sums import FIND
from subscriptions.models import Subscription
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def find(profile: Any) -> None:
    queue.request(queue.Request(FIND, JobRun.Trigger.CHAIN, profile=profile))
    worlds.work()


def read(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return pages.text_of(answer.content.decode())


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def sam_admin(signed_in: Any) -> Any:
    return signed_in("sam_admin")


@pytest.fixture
def world() -> SimpleNamespace:
    """Four seats of one model: two idle for 100 days, one used, one exempt. A license costs 120 EUR a year."""
    now = timezone.now()
    profile = factories.profile(display_name="Europe", refreshed_at=now, team_id="t1")
    factories.coverage(profile, now - timedelta(days=400), now)
    model = factories.software_model(cost_override=Decimal(120), currency="EUR")
    kind = factories.identifier(software_model=model)
    rule = factories.rule(model, name="Ours")
    old = now - timedelta(days=500)
    seats = []
    for place, idle in enumerate((100, 100, 1, 100)):
        seat = factories.subscription(
            profile=profile, identifier=kind, assigned_at=old, first_seen_at=old, display_name=f"Seat {place}"
        )
        factories.activity(seat, now - timedelta(days=idle))
        seats.append(seat)
    Exemption.objects.create(subscription=seats[3], reason="Board", at=now)
    return SimpleNamespace(now=now, profile=profile, model=model, kind=kind, rule=rule, seats=seats)


def remove(world: Any, number: int, **fields: Any) -> None:
    """So many real removals of the rule."""
    for _ in range(number):
        candidate = factories.candidate(
            factories.subscription(profile=world.profile, ended_at=world.now), rule=world.rule, state="closed_complete"
        )
        RemovalAttempt.objects.create(
            candidate=candidate,
            vendor="dropbox",
            team_id="t1",
            external_id=candidate.external_id,
            opened_at=world.now,
            intent_at=world.now,
            withdrawn_at=world.now,
            closed_at=world.now,
            **{"state": "closed", **fields},
        )


def test_without_a_rule_the_list_says_what_makes_one(reader: Any) -> None:
    page = read(reader, "/reclamation-rules/")
    assert "No reclamation rule yet" in page and "press Download subscriptions" in page


def test_the_list_has_what_matters_of_each_rule(reader: Any, world: Any) -> None:
    find(world.profile)
    factories.rule(factories.software_model(edition="Without cost"), notify_user=False, active=False)
    listed = pages.rows(reader.get("/reclamation-rules/").content.decode(), "Software model")
    ours = next(cells for head, cells in listed.items() if head.endswith("Ours"))
    assert ours == ["Propose", "60 days", "7 days", "Unreviewed", "2", "240 EUR", "nothing removed yet"]
    other = next(cells for head, cells in listed.items() if "Without cost" in head)
    assert (other[0], other[2], other[5]) == ("Off", "not asked", "cost not known")


def test_the_list_says_which_rules_were_changed_since_their_review(reader: Any, world: Any) -> None:
    edit_rule.review(world.rule, by=reader.user, now=timezone.now())
    for query, there in (("", "Reviewed"), ("?review=yes", "Ours"), ("?review=no", "No reclamation rule matches")):
        assert there in read(reader, f"/reclamation-rules/{query}")
    edit_rule.save(world.rule, {"notice_days": 9}, by=reader.user, now=timezone.now())
    assert "Changed since" in read(reader, "/reclamation-rules/?review=changed")
    assert "No reclamation rule matches" in read(reader, "/reclamation-rules/?review=yes")


def test_measured_regret_counts_real_removals_that_were_restored_or_used_shortly_before(
    reader: Any, world: Any
) -> None:
    remove(world, 8)
    remove(world, 1, regret_at=world.now)
    remove(world, 5, dry_run=True)
    assert "Too few to say: 1 of 9 removed were restored" in read(reader, world.rule.get_absolute_url())
    remove(world, 1, state="restored", restored_at=world.now, restored_where="here")
    assert "20.0 % 2 of 10 removed were restored" in read(reader, world.rule.get_absolute_url())
    assert "20.0 % (2 of 10)" in read(reader, "/reclamation-rules/")


def test_the_page_of_a_rule_sums_up_its_subscriptions_and_each_sum_opens_its_rows(reader: Any, world: Any) -> None:
    path = world.rule.get_absolute_url()
    assert "Nobody has looked for candidates here yet" in read(reader, path)
    find(world.profile)
    markup = reader.get(path).content.decode()
    assert "4 subscriptions = 2 proposed + 1 " in pages.text_of(markup)
    links = re.findall(r'<a href="(/integration-profiles/\d+/reasons/subscriptions/\?[^"]*)">([\d,]+)<', markup)
    assert sorted(int(number) for _, number in links) == [1, 1, 2]
    for address, number in links:
        assert pages.rows_behind(reader, address.replace("&amp;", "&")) == int(number)


def test_the_tiles_open_what_they_count(reader: Any, world: Any) -> None:
    find(world.profile)
    candidate = world.rule.candidates.first()
    type(candidate).objects.filter(pk=candidate.pk).update(after_notice=True)
    Exemption.objects.create(person=factories.person(), reason="Of another model", at=world.now)
    Observation.objects.create(
        rule=world.rule,
        rule_version=world.rule.versions.get(),
        subscription=world.seats[0],
        reason="idle",
        first_on=world.now.date(),
        last_on=world.now.date(),
    )
    markup = reader.get(world.rule.get_absolute_url()).content.decode()
    tiles = re.findall(r'<a class="tile" href="([^"]+)">.*?class="figure">([\d,]+)<', markup, flags=re.DOTALL)
    assert len(tiles) == 4 and [number for _, number in tiles] == ["2", "1", "1", "1"]
    for address, number in tiles:
        assert pages.rows_behind(reader, address.replace("&amp;", "&")) == int(number), address
    observed = read(reader, f"{world.rule.get_absolute_url()}observations/")
    assert "Seat 0" in observed and "Idle" in observed


def test_settings_are_said_in_words_with_names_for_what_is_stored_as_keys(reader: Any, world: Any) -> None:
    changes = {
        "conditions": {"profile": [world.profile.pk], "department": ["Sales"]},
        "destination": "named",
        "destination_external_id": world.seats[2].external_id,
        "notify_user": False,
        "undo_days": 0,
    }
    edit_rule.save(world.rule, changes, by=reader.user, now=timezone.now())
    page = read(reader, world.rule.get_absolute_url())
    for words in (
        "60 days without use",
        "Subscription profile: Europe; Department: Sales",
        f"Seat 2 ({world.seats[2].email})",
        "The user Not asked",
        "The files are transferred at once. It cannot be undone.",
    ):
        assert words in page, words


def test_versions_say_who_changed_what_and_when(reader: Any, world: Any) -> None:
    edit_rule.save(world.rule, {"threshold_days": 90, "remind_before": [5, 2]}, by=reader.user, now=timezone.now())
    edit_rule.save(world.rule, {"conditions": {"department": ["IT"]}}, by=reader.user, now=timezone.now())
    edit_rule.review(world.rule, by=reader.user, now=timezone.now())
    versions = pages.rows(reader.get(world.rule.get_absolute_url()).content.decode(), "Version")
    assert [cells[1] for cells in versions.values()] == [*[reader.user.get_username()] * 3, "samsaas"]
    assert [cells[2] for cells in versions.values()] == [
        "Nothing: it was reviewed",
        "Department: added IT",
        "Threshold: 60 days → 90 days Reminders: 3 and 1 days before the end → 5 and 2 days before the end",
        "It was made",
    ]


def test_a_rule_that_observes_or_is_off_says_so(reader: Any, world: Any) -> None:
    rules = ReclamationRule.objects.filter(pk=world.rule.pk)
    rules.update(observe_until=world.now + timedelta(days=5))
    assert "It only observes for now" in read(reader, world.rule.get_absolute_url())
    assert "observes until" in read(reader, "/reclamation-rules/")
    rules.update(active=False)
    page = read(reader, world.rule.get_absolute_url())
    assert "This rule is off" in page and "It only observes" not in page


def test_the_slider_works_without_scripts_and_carries_its_threshold_into_the_form(
    sam_admin: Any, reader: Any, world: Any
) -> None:
    path = world.rule.get_absolute_url()
    page = sam_admin.get(f"{path}?threshold=101").content.decode()
    assert "Threshold 101 days: Subscriptions 0, Cost a year 0 EUR" in page
    assert "The rule has 60 days: 2 subscriptions." in pages.text_of(page)
    assert f'formaction="{path}edit/"' in page
    assert 'value="101"' in sam_admin.get(f"{path}edit/?threshold=101").content.decode()
    assert "Use this threshold" not in reader.get(path).content.decode()


def test_other_pages_lead_to_the_rule(sam_admin: Any, world: Any) -> None:
    find(world.profile)
    candidate = world.rule.candidates.first()
    link = f'href="{world.rule.get_absolute_url()}"'
    for address in (
        candidate.get_absolute_url(),
        world.model.get_absolute_url(),
        f"/integration-profiles/{world.profile.pk}/reasons/",
        "/",
        "/reclamation-rules/",
    ):
        assert link in sam_admin.get(address).content.decode(), address


def test_home_names_rules_that_wait_for_a_review_to_whoever_may_review(sam_admin: Any, reader: Any, world: Any) -> None:
    assert "Review the reclamation rule" in read(sam_admin, "/"), "after the first connection it is one of the steps"
    sam_admin.post("/checklist/rule/")
    assert "1 Reclamation rule to be reviewed" in read(sam_admin, "/")
    assert "to be reviewed" not in read(reader, "/")
    other = factories.rule()
    assert "1 Reclamation rule to" in read(sam_admin, "/"), "no subscription is judged by the other one"
    factories.subscription(identifier=factories.identifier(software_model=other.software_model))
    assert "2 Reclamation rules to be reviewed" in read(sam_admin, "/")
    edit_rule.review(world.rule, by=sam_admin.user, now=timezone.now())
    edit_rule.review(other, by=sam_admin.user, now=timezone.now())
    assert "to be reviewed" not in read(sam_admin, "/")


def test_thirty_rows_cost_as_many_queries_as_one(sam_admin: Any, world: Any) -> None:
    find(world.profile)
    Observation.objects.create(
        rule=world.rule,
        subscription=world.seats[0],
        reason="idle",
        first_on=world.now.date(),
        last_on=world.now.date(),
    )
    edit_rule.save(world.rule, {"notice_days": 9}, by=sam_admin.user, now=timezone.now())
    own = world.rule.get_absolute_url()
    addresses = ("/reclamation-rules/", own, f"{own}observations/", f"{own}edit/", f"{own}review/", "/")
    before = [pages.cost(sam_admin, address) for address in addresses]
    for number in range(29):
        other = factories.rule()
        seat = factories.subscription(profile=world.profile, identifier=world.kind)
        factories.subscription(
            profile=world.profile, identifier=factories.identifier(software_model=other.software_model)
        )
        factories.candidate(seat, rule=world.rule)
        factories.match(seat, factories.person(department=f"Department {number}"))
        Exemption.objects.create(subscription=seat, reason="x", at=world.now)
        edit_rule.save(world.rule, {"cool_down_days": 100 + number}, by=sam_admin.user, now=timezone.now())
        Observation.objects.create(
            rule=world.rule,
            rule_version=world.rule.versions.first(),
            subscription=seat,
            reason="idle",
            first_on=world.now.date(),
            last_on=world.now.date(),
        )
    assert [pages.cost(sam_admin, address) for address in addresses] == before
    assert Subscription.objects.count() == 62


def test_nonsense_in_the_address_gives_a_page(sam_admin: Any, world: Any) -> None:
    own = world.rule.get_absolute_url()
    names = ("q", "mode", "active", "review", "sort", "page", "threshold", "reason")
    for query in worlds.nonsense(names):
        for path in ("/reclamation-rules/", own, f"{own}observations/", f"{own}edit/"):
            assert sam_admin.get(f"{path}?{query}").status_code == 200, (path, query)
    assert sam_admin.get("/reclamation-rules/99999/").status_code == 404
