"""The slider: for every threshold the number that the find itself would propose, from one statement."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from profiles.jobs import execute
from profiles.models import JobRun
from reclamation import find_candidates
from reclamation.models import ReclamationRule
from reclamation.reasons import Decision
from reclamation.rules import kept_counts, slider, thresholds, versions
from reclamation.rules.scope import read_scope
from subscriptions.activity import last_used
from subscriptions.models import Subscription
from tests import factories
from tests.reclamation.test_sql_and_python_agree import ZONES, Dice, make_world

pytestmark = pytest.mark.django_db
# Around the days that the dice of the worlds like best, and the ends.
ASKED = (7, 8, 13, 29, 30, 31, 32, 45, 59, 60, 61, 62, 89, 90, 91, 92, 120, 180, 200, 364, 365, 729, 730)
Mode = ReclamationRule.Mode


def count_one_by_one(rule: ReclamationRule, days: int, now: Any, explain: Any) -> int:
    """The number for one threshold, by setting it and judging each seat of the rule."""
    ReclamationRule.objects.filter(pk=rule.pk).update(threshold_days=days)
    seats = Subscription.objects.listed().filter(identifier__software_model=rule.software_model_id)
    return sum(explain(seat.pk, now, ignore_candidate=True).decision != Decision.NO for seat in seats)


def count_by_sql(rule: ReclamationRule, days: int, now: Any) -> int:
    rule.threshold_days = days
    scope = read_scope(rule, now)
    found = [scope.judge(standing, rule).exclude(verdict__startswith="no:").count() for standing in scope.standings]
    return sum(found)


@pytest.mark.parametrize("seed", range(12))
def test_in_random_worlds_every_threshold_has_the_number_that_the_find_would_have(seed: int) -> None:
    from reclamation.assess import explain  # noqa: PLC0415

    with timezone.override(ZONES[seed % len(ZONES)]):
        dice = Dice(seed)
        make_world(dice)
        rule = ReclamationRule.objects.get()
        counts = thresholds.count_by_threshold(rule, read_scope(rule, dice.now))
        assert [counts.at(days) for days in ASKED] == [count_by_sql(rule, days, dice.now) for days in ASKED]
        chosen = ASKED[seed % len(ASKED)]
        assert counts.at(chosen) == count_one_by_one(rule, chosen, dice.now, explain)


@pytest.fixture
def world() -> SimpleNamespace:
    """Idle for 5, 20, 100 and 300 days, never active, of a leaver, and an invitation; read for 400 days."""
    now = timezone.now()
    profile = factories.profile(refreshed_at=now, team_id="t1")
    factories.coverage(profile, now - timedelta(days=400), now)
    model = factories.software_model(cost_override=Decimal("120.50"), currency="EUR")
    kind = factories.identifier(software_model=model)
    old = now - timedelta(days=500)

    def make(idle: int | None, **fields: Any) -> Subscription:
        made = factories.subscription(
            **{"profile": profile, "identifier": kind, "first_seen_at": old, "assigned_at": old, **fields}
        )
        if idle is not None:
            factories.activity(made, now - timedelta(days=idle))
        return made

    idle = [make(days) for days in (5, 20, 100, 300)]
    never = make(None, assigned_at=now - timedelta(days=80))
    leaver = make(1)
    factories.match(leaver, factories.person(left_on=timezone.localdate() - timedelta(days=3)))
    make(None, status="invited", invited_at=now - timedelta(days=90))
    return SimpleNamespace(
        now=now, profile=profile, kind=kind, rule=factories.rule(model), idle=idle, never=never, leaver=leaver
    )


def numbers(world: Any, *days: int) -> list[int]:
    counts = thresholds.count_by_threshold(world.rule, read_scope(world.rule, world.now))
    return [counts.at(day) for day in days]


def test_each_subscription_counts_up_to_its_own_last_threshold(world: Any) -> None:
    assert numbers(world, 7, 20, 21, 80, 81, 100, 101, 300, 301, 730) == [6, 6, 5, 5, 4, 4, 3, 3, 2, 2]


def test_an_open_candidate_counts_on_and_what_only_observes_counts_as_if_it_proposed(world: Any) -> None:
    factories.candidate(world.idle[2], rule=world.rule)
    world.rule.mode = Mode.OBSERVE
    assert numbers(world, 60) == [5]


def test_a_rule_that_is_off_and_a_list_that_is_old_propose_nothing(world: Any) -> None:
    world.rule.active = False
    assert numbers(world, 7) == [0]
    world.rule.active = True
    type(world.profile).objects.update(refreshed_at=world.now - timedelta(days=2))
    assert numbers(world, 7) == [0]


def test_one_grouped_statement_counts_everybody_and_one_the_leavers_however_many_there_are(world: Any) -> None:
    def cost() -> tuple[int, int]:
        scope = read_scope(world.rule, world.now)
        with CaptureQueriesContext(connection) as asked:
            thresholds.count_by_threshold(world.rule, scope)
        return len(asked), sum("GROUP BY" in query["sql"] for query in asked)

    before = cost()
    assert before[1] == 2
    for number in range(30):
        seat = factories.subscription(profile=world.profile, identifier=world.kind, status="suspended")
        factories.activity(seat, world.now - timedelta(days=number))
    assert cost() == before


def test_several_profiles_add_up(world: Any) -> None:
    other = factories.profile(refreshed_at=world.now, team_id="t2")
    factories.coverage(other, world.now - timedelta(days=50), world.now)
    seat = factories.subscription(profile=other, identifier=world.kind, assigned_at=world.now - timedelta(days=500))
    factories.activity(seat, world.now - timedelta(days=45))
    assert numbers(world, 45, 46, 51, 52) == [6, 5, 5, 5]


def test_money_is_the_number_times_the_price_with_its_currency(world: Any) -> None:
    drawn = slider.draw(world.rule, read_scope(world.rule, world.now))
    assert drawn.words == "Threshold 60 days: Subscriptions 5, Cost a year 602.50 EUR"
    drawn = slider.draw(world.rule, read_scope(world.rule, world.now), asked="301")
    assert (drawn.count_now, drawn.count) == (5, 2) and "241 EUR" in drawn.words
    for nonsense in ("6", "731", "x", "9" * 5000, "²", "-7", ""):
        assert slider.draw(world.rule, read_scope(world.rule, world.now), asked=nonsense).chosen == 60


def test_it_says_beyond_which_threshold_nothing_was_read(world: Any) -> None:
    assert slider.draw(world.rule, read_scope(world.rule, world.now)).reach == ""
    world.profile.coverage.all().delete()
    factories.coverage(world.profile, world.now - timedelta(days=90), world.now)
    reach = slider.draw(world.rule, read_scope(world.rule, world.now)).reach
    assert "Beyond 90 days" in reach
    assert numbers(world, 90, 91) == [4, 2], "the leaver and the invitation need no activity"
    world.profile.coverage.all().delete()
    assert "No activity was read" in slider.draw(world.rule, read_scope(world.rule, world.now)).reach


class TestLargeProfiles:
    """What a find counted of a large profile is shown until the end of its day, as long as the rule stays as it is."""

    @pytest.fixture(autouse=True)
    def found(self, world: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr(kept_counts, "LARGE", 3)
        self.find(world)

    def find(self, world: Any) -> JobRun:
        run = factories.run(profile=world.profile, process=find_candidates.FIND, state=JobRun.State.QUEUED)
        execute.run(run.pk, find_candidates.run)
        run.refresh_from_db()
        assert run.state == JobRun.State.SUCCEEDED, run.error_message
        return run

    def shown(self, world: Any, days: int = 60) -> int:
        return slider.draw(world.rule, read_scope(world.rule, world.now), asked=str(days)).count

    def use_now(self, world: Any) -> None:
        """Somebody who would be proposed works again; no find knows of it."""
        world.idle[3].last_activity.delete()
        factories.activity(world.idle[3], world.now)

    def test_a_find_counts_what_a_page_would_count(self, world: Any) -> None:
        counted = numbers(world, *ASKED)
        assert [self.shown(world, days) for days in ASKED] == counted and len(set(counted)) > 4

    def test_the_page_shows_what_the_find_counted_and_says_so(self, world: Any, signed_in: Any) -> None:
        self.use_now(world)
        assert (numbers(world, 60), self.shown(world)) == ([4], 5)
        page = signed_in("admin").get(world.rule.get_absolute_url()).content.decode()
        assert "counted when candidates were last found today" in page and "counted now" not in page
        self.find(world)
        assert self.shown(world) == 4

    def test_a_small_profile_is_counted_while_the_page_waits(self, world: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr(kept_counts, "LARGE", 7)
        assert kept_counts.FACT not in self.find(world).facts
        self.use_now(world)
        assert self.shown(world) == 4

    def test_other_settings_and_another_day_are_counted_anew(self, world: Any) -> None:
        self.use_now(world)
        midnight = last_used.midnight(world.now) + timedelta(days=1)
        assert kept_counts.read(world.rule, read_scope(world.rule, midnight - timedelta(seconds=1)))
        assert not kept_counts.read(world.rule, read_scope(world.rule, midnight))
        world.rule.version += 1
        versions.add_version(world.rule, by=None, now=world.now)
        assert self.shown(world) == 4

    def test_a_rule_that_was_switched_off_since_shows_nothing(self, world: Any) -> None:
        world.rule.active = False
        assert self.shown(world) == 0
