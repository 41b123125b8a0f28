"""Why and why not: the pages of reasons, a subscription's own sentence, and why a list of candidates is empty."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from profiles.jobs import queue
from profiles.models import JobRun
from reclamation.models import ReclamationRule
from reclamation.sums import FIND
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def find(profile: Any) -> None:
    queue.request(queue.Request(FIND, JobRun.Trigger.CHAIN, profile=profile))
    worlds.work()


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def world() -> SimpleNamespace:
    """A profile with three seats that are used, of two models."""
    now = timezone.now()
    profile = factories.profile(display_name="Europe", refreshed_at=now)
    factories.coverage(profile, now - timedelta(days=200), now)
    kinds = [factories.identifier(), factories.identifier()]
    seats = []
    for place, kind in enumerate((kinds[0], kinds[0], kinds[1])):
        seat = factories.subscription(profile=profile, identifier=kind, display_name=f"Seat {place}")
        factories.activity(seat, now - timedelta(days=3))
        seats.append(seat)
    return SimpleNamespace(now=now, profile=profile, kinds=kinds, seats=seats)


def test_before_the_first_find_the_pages_say_when_it_comes(reader: Any, world: Any) -> None:
    for path in ("/reasons/", f"/integration-profiles/{world.profile.pk}/reasons/"):
        assert "after the next daily refresh" in pages.text_of(reader.get(path).content.decode())
    assert pages.rows_behind(reader, f"/integration-profiles/{world.profile.pk}/reasons/subscriptions/") == 3


def test_without_candidates_the_list_says_why(reader: Any, world: Any) -> None:
    find(world.profile)
    page = pages.text_of(reader.get("/removal-candidates/").content.decode())
    assert "Why there are none" in page and "3 subscriptions = 0 proposed + 3 active" in page
    assert "Why there are none" not in reader.get("/removal-candidates/?q=x").content.decode()


@pytest.mark.parametrize("doubts", [[], ["The log holds 5 events of use of 45 active members."]])
def test_a_reading_that_was_not_believed_is_named_where_the_reasons_are(reader: Any, world: Any, doubts: Any) -> None:
    """Activity was read, so "it was not read" alone would send people to look for a job that did not run."""
    find(world.profile)
    JobRun.objects.create(
        profile=world.profile,
        process="pull_activity",
        state="succeeded",
        trigger="schedule",
        facts={"doubts": doubts},
        created_at=world.now,
    )
    page = pages.text_of(reader.get(f"/integration-profiles/{world.profile.pk}/reasons/").content.decode())
    assert ("The last reading of the log is not believed" in page) == bool(doubts)
    assert all(doubt in page for doubt in doubts)


def test_each_rule_has_its_own_sums(reader: Any, world: Any) -> None:
    find(world.profile)
    rules = [ReclamationRule.objects.get(software_model=kind.software_model) for kind in world.kinds]
    path = f"/integration-profiles/{world.profile.pk}/reasons/"
    page = reader.get(path).content.decode()
    assert all(rule.name in page for rule in rules)
    for rule, count in zip(rules, (2, 1), strict=True):
        page = pages.text_of(reader.get(f"{path}?rule={rule.pk}").content.decode())
        assert f"{count} subscription{'s' if count > 1 else ''} = 0 proposed + {count} active" in page
        assert pages.rows_behind(reader, f"{path}subscriptions/?reason=no:active&rule={rule.pk}") == count
    assert pages.rows_behind(reader, f"{path}subscriptions/?rule=none") == 0
    assert pages.rows_behind(reader, f"{path}subscriptions/?q=Seat+1") == 1


def test_a_rows_reason_is_the_one_it_has_now(reader: Any, world: Any) -> None:
    find(world.profile)
    world.seats[0].is_admin = True
    world.seats[0].save()
    rows = f"/integration-profiles/{world.profile.pk}/reasons/subscriptions/"
    assert pages.rows_behind(reader, f"{rows}?reason=no:active") == 2
    listed = pages.rows(reader.get(rows).content.decode(), "Display name")
    assert [cells[1] for cells in listed.values()] == ["Vendor admin", "Active", "Active"]


def test_a_subscription_says_its_one_reason(reader: Any, world: Any) -> None:
    page = pages.text_of(reader.get(world.seats[0].get_absolute_url()).content.decode())
    assert f"Not proposed. It was last used on {timezone.localtime(world.now - timedelta(days=3)):%-d %b %Y}" in page


def test_a_software_model_shows_its_rule(reader: Any, world: Any) -> None:
    model = world.kinds[0].software_model
    assert "None yet" in reader.get(model.get_absolute_url()).content.decode()
    find(world.profile)
    page = reader.get(model.get_absolute_url()).content.decode()
    assert f"SAM - Reclaim {model}" in page and "Not reviewed" in page


def test_thirty_rows_cost_as_many_queries_as_one(reader: Any, world: Any) -> None:
    rows = f"/integration-profiles/{world.profile.pk}/reasons/subscriptions/"
    costs = pages.cost(reader, rows), pages.cost(reader, "/reasons/")
    for _ in range(29):
        seat = factories.subscription(profile=world.profile, identifier=world.kinds[0])
        factories.activity(seat, world.now)
        factories.match(seat, factories.person())
        find(factories.profile(refreshed_at=world.now))
    assert (pages.cost(reader, rows), pages.cost(reader, "/reasons/")) == costs


def test_nonsense_in_the_address_gives_a_page(reader: Any, world: Any) -> None:
    find(world.profile)
    path = f"/integration-profiles/{world.profile.pk}/reasons/"
    for query in worlds.nonsense(("q", "reason", "rule", "sort", "page")):
        assert reader.get(f"{path}?{query}").status_code == 200
        assert reader.get(f"{path}subscriptions/?{query}").status_code == 200
    assert reader.get("/integration-profiles/99999/reasons/").status_code == 404
