# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Publish a position as the results of its run, in one transaction: readers see the old results or the new ones.

1. Lock the run. What it answers for today replaces the current results of the same software models; their options,
   which are older than this run, are void.
2. Store the figures of every model, with options and groups, then the products as their sums.
3. Copy the ranked seats, without any of them leaving the database.
4. Store the inputs and the totals, sign all of it, and end the run under its job's lease.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from profiles.jobs.job import Job
from samsaas.lib import bulk, sql
from subscriptions.models import (
    GroupResult,
    MetricResult,
    ModelResult,
    ProductResult,
    ReconciliationRun,
    RemediationOption,
    SeatResult,
)
from subscriptions.reconciliation import sign, tiers
from subscriptions.reconciliation.compute import Position
from subscriptions.reconciliation.cover_seats import RANKED
from subscriptions.reconciliation.figures import price_in

SEAT_RESULTS = SeatResult._meta.db_table
RESULTS = "position_results"
State = ReconciliationRun.State
Words = tuple[str, str]


@transaction.atomic
def run(job: Job, asked: ReconciliationRun, position: Position, *, now: datetime) -> ReconciliationRun:
    """Publish the position. Raises `LeaseLost` or `Canceled`; nothing is stored then."""
    locked = ReconciliationRun.objects.select_for_update(of=("self",)).get(pk=asked.pk)
    if position.metrics or not position.failed:
        replaced = _replace_current(position) if position.question.at is None else set()
        _store_results(locked, position, replaced)
    _finish(locked, position, now)
    if locked.problem:
        job.warn(locked.problem)
    job.progress(counters=_run_counters(locked, position), step="Published")
    return locked


def _replace_current(position: Position) -> set[Words]:
    """Take the mark *current* off the results that this position replaces. Returns the products they were of."""
    models = [one for one in ModelResult.objects.current() if _is_replaced(position, one)]
    keys = [one.pk for one in models]
    ModelResult.objects.filter(pk__in=keys).update(current=False)
    stale = RemediationOption.objects.filter(metric_result__model_result__in=keys)
    undone = (RemediationOption.State.NEW, RemediationOption.State.IN_PROGRESS)
    stale.filter(state__in=undone).update(state=RemediationOption.State.VOID)
    return {(one.publisher, one.product) for one in models}


def _is_replaced(position: Position, result: ModelResult) -> bool:
    question = position.question
    if result.publisher in position.failed:
        return False
    if question.model is not None:
        return result.software_model_id == question.model
    asked = {name.casefold() for name in question.publishers}
    return not asked or result.publisher.casefold() in asked or result.software_model_id in position.metrics


def _store_results(run: ReconciliationRun, position: Position, replaced: set[Words]) -> None:
    is_current = position.question.at is None
    by_product: dict[Words, list[int]] = defaultdict(list)
    for key in position.metrics:
        model = position.models[key]
        by_product[model.publisher, model.product].append(key)
    touched = replaced | by_product.keys()
    others = _other_metrics(touched) if is_current else {}
    if is_current:
        _forget_products(touched)
    products = _store_products(run, position, by_product, others, is_current)
    metrics = _store_models(position, by_product, products, is_current)
    _store_options(position, metrics)
    _store_groups(position, metrics)
    _copy_seats(metrics)


def _other_metrics(products: Iterable[Words]) -> dict[Words, list[MetricResult]]:
    """The current figures of other models of these products, which a run of one model does not compute."""
    found: dict[Words, list[MetricResult]] = {}
    for publisher, product in products:
        rows = MetricResult.objects.filter(
            model_result__current=True, model_result__publisher=publisher, model_result__product=product
        )
        found[publisher, product] = list(rows)
    return found


def _forget_products(products: Iterable[Words]) -> None:
    for publisher, product in products:
        ProductResult.objects.current().filter(publisher=publisher, product=product).update(current=False)


def _store_products(
    run: ReconciliationRun,
    position: Position,
    by_product: dict[Words, list[int]],
    others: dict[Words, list[MetricResult]],
    is_current: bool,
) -> dict[Words, ProductResult]:
    rows = []
    for words in sorted(others.keys() | by_product.keys()):
        metrics = [*others.get(words, ()), *(position.metrics[key] for key in by_product.get(words, ()))]
        if metrics:
            publisher, product = words
            sums = tiers.sum_models(metrics)
            rows.append(ProductResult(run=run, publisher=publisher, product=product, current=is_current, **sums))
    return {(one.publisher, one.product): one for one in ProductResult.objects.bulk_create(rows)}


def _store_models(
    position: Position, by_product: dict[Words, list[int]], products: dict[Words, ProductResult], is_current: bool
) -> dict[int, MetricResult]:
    models = []
    for words, keys in by_product.items():
        for key in keys:
            model = position.models[key]
            names = {name: getattr(model, name) for name in model.PARTS}
            of_product = products[words]
            models.append(ModelResult(product_result=of_product, software_model=model, current=is_current, **names))
    for result in ModelResult.objects.bulk_create(models):
        if result.software_model_id is not None:
            position.metrics[result.software_model_id].model_result = result
            position.metrics[result.software_model_id].has_seats = True
    MetricResult.objects.bulk_create(position.metrics.values())
    return position.metrics


def _store_options(position: Position, metrics: dict[int, MetricResult]) -> None:
    options = [(metrics[key], option) for key, found in position.options.items() if key in metrics for option in found]
    for figures, option in options:
        option.metric_result = figures
    RemediationOption.objects.bulk_create([option for _, option in options])


def _store_groups(position: Position, metrics: dict[int, MetricResult]) -> None:
    if not position.question.is_grouped:
        return
    GroupResult.objects.bulk_create(
        (
            GroupResult(
                metric_result=metrics[key],
                value=one.value,
                missing=one.missing,
                subvalue=one.subvalue,
                submissing=one.submissing,
                in_use=one.in_use,
                unlicensed=one.unlicensed,
                cost_share=price_in(metrics[key]).times(one.in_use),
            )
            for key, groups in position.groups.items()
            if key in metrics
            for one in groups
        ),
        batch_size=1000,
    )


def _copy_seats(metrics: dict[int, MetricResult]) -> None:
    sql.drop_table(RESULTS)
    sql.execute(f"CREATE TEMPORARY TABLE {RESULTS} (model_id bigint PRIMARY KEY, result_id bigint)")
    bulk.load(connection, RESULTS, ("model_id", "result_id"), ((key, one.pk) for key, one in metrics.items()))
    sql.analyze(RESULTS)
    copied = "seat_name, profile_name, person_id, person_name, is_leaver, covered_by, entitlement_id"
    sql.execute(
        f"INSERT INTO {SEAT_RESULTS} (metric_result_id, subscription_id, {copied}, rank) "
        f"SELECT p.result_id, r.seat_id, {copied}, r.place FROM {RANKED} r JOIN {RESULTS} p ON p.model_id = r.model_id"
    )
    sql.drop_table(RESULTS)


def _finish(run: ReconciliationRun, position: Position, now: datetime) -> None:
    run.figures = {
        "listed": position.counted + sum(position.aside.values()),
        "counted": position.counted,
        "aside": position.aside,
        "totals": tiers.sum_products(run.products.all()),
        **position.drift,
    }
    run.inputs = position.inputs
    run.state = State.COMPLETED
    if position.failed:
        run.state = State.PARTIALLY_COMPLETED if position.metrics else State.FAILED
        run.problem = " ".join(f"{text}" for text in position.failed.values())[:500]
    run.finished_at = now
    run.signature, run.key_id = sign.sign(run)
    run.save(update_fields=["figures", "inputs", "state", "problem", "finished_at", "signature", "key_id"])


def _run_counters(run: ReconciliationRun, position: Position) -> dict[str, int]:
    totals: dict[str, Any] = run.figures["totals"]
    return {
        "listed": run.figures["listed"],
        "counted": position.counted,
        "aside": sum(position.aside.values()),
        "models": len(position.metrics),
        "out_of_compliance": totals["out_of_compliance"],
        "unlicensed": totals["unlicensed"],
        "unpriced": totals["unpriced"],
        "failed": len(position.failed),
    }
