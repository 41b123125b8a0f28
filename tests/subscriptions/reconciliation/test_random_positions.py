"""Random worlds: every figure is what plain Python counts, tiers are sums, and a past day stays what it was."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from subscriptions.models import MetricResult, ReconciliationRun, SeatResult, UseDay
from subscriptions.reconciliation import live, use_by_day
from tests.subscriptions.reconciliation import position_world as worlds, random_case
from tests.subscriptions.reconciliation.recount import Recount

pytestmark = pytest.mark.django_db
PAST_DAYS = (date(2026, 2, 1), date(2026, 4, 17))


def describe(world: worlds.World, run: ReconciliationRun) -> dict[str, Any]:
    products, publishers = worlds.describe_tiers(run)
    figures = {name: run.figures[name] for name in ("aside", "listed", "counted")}
    return {"models": worlds.describe_models(world, run), "products": products, "publishers": publishers, **figures}


@pytest.mark.parametrize("seed", range(25))
def test_every_figure_is_what_a_recount_in_python_says(seed: int) -> None:
    case = random_case.make_case(seed)
    world = worlds.make_world(case)
    group, now = case["question"]["group"], worlds.moment(random_case.LAST) + timedelta(hours=20)
    today = worlds.reconcile_as_of(None, now=now, group=group)
    told = describe(world, today)
    candidates = {key: one["open_candidates"] for key, one in told["models"].items() if one["open_candidates"]}
    assert {world.name_of("models", key): number for key, number in live.open_candidates().items()} == candidates
    assert told == Recount(case, random_case.LAST).run()
    check_sums(today)
    later = worlds.reconcile_as_of(random_case.LAST, now=now + timedelta(days=9), group=group)
    assert describe(world, later) == told, "a past day computed today is what a run stored that day"
    for on in PAST_DAYS:
        asked = describe(world, worlds.reconcile_as_of(on, now=now, group=group))
        recounted = Recount({**case, "tables": {**case["tables"], "candidates": []}}, on).run()
        assert asked == recounted


@pytest.mark.parametrize("seed", range(12))
def test_every_day_that_is_over_is_counted_for_charts_as_a_recount_of_that_day_says(seed: int) -> None:
    case = random_case.make_case(seed)
    world = worlds.make_world(case)
    use_by_day.store_missing(now=worlds.moment(random_case.LAST) + timedelta(hours=20))
    names = {row.pk: name for name, row in world.identifiers.items()}
    told: dict[date, Counter[Any]] = {}
    for one in UseDay.objects.all():
        told.setdefault(one.day, Counter())[names[one.identifier_id]] = one.in_use
    for place in range((random_case.LAST - random_case.FIRST).days):
        day = random_case.FIRST + timedelta(days=place)
        listed = [row for row in Recount(case, day).listed() if row["kind"] in ("", "unrecognized", "not_managed")]
        assert told.get(day, Counter()) == Counter(
            (world.profiles[row["profile"]].vendor, row["model"]) for row in listed
        )


def check_sums(run: ReconciliationRun) -> None:
    metrics = list(MetricResult.objects.filter(model_result__product_result__run=run))
    for one in metrics:
        by_cover = [
            SeatResult.objects.filter(metric_result=one, covered_by=kind).count() for kind in SeatResult.Covered
        ]
        assert sum(by_cover) == one.in_use, "licensed and unlicensed are what is in use"
        assert by_cover[2] == one.unlicensed == one.needed or one.unlimited
        ranks = list(one.seats.filter(covered_by__in=("right", "none")).values_list("rank", flat=True))
        assert sorted(ranks) == list(range(1, len(ranks) + 1))
    totals = run.figures["totals"]
    for name in ("in_use", "used", "needed", "unlicensed"):
        assert totals[name] == sum(getattr(one, name) for one in metrics)
    assert run.figures["listed"] == run.figures["counted"] + sum(run.figures["aside"].values())
    assert run.figures["counted"] == sum(one.in_use for one in metrics)
