"""A reconciliation as a run: one for each question, old results until the new ones stand, and what becomes of both."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from profiles.jobs import execute, queue
from profiles.jobs.job import Canceled
from profiles.models import IntegrationProfile, JobRun
from samsaas import schedule
from subscriptions import recompute
from subscriptions.entitlements.terms import Book
from subscriptions.models import (
    Entitlement,
    MetricResult,
    ModelResult,
    ProductResult,
    ReconciliationRun,
    RemediationOption,
    SeatResult,
    UseDay,
)
from subscriptions.question import BadQuestion, ask
from subscriptions.reconciliation import forget_seats, publish, reconcile, sign, use_by_day
from tests import factories
from tests.subscriptions.reconciliation.position_world import answer, reconcile_as_of

pytestmark = pytest.mark.django_db
State = ReconciliationRun.State
DAY = timedelta(days=1)


def entitlement(model: Any, rights: int, **fields: Any) -> Entitlement:
    given = {"state": "in_use", "start": date(2020, 1, 1), "unit_cost": 100, "currency": "USD", **fields}
    return Entitlement.objects.create(software_model=model, purchased_rights=rights, **given)


@pytest.fixture
def place() -> Any:
    """Three subscriptions of one model and two of another, with two rights each."""

    class Place:
        profile = factories.profile(refreshed_at=timezone.now())
        short = factories.software_model(publisher="Acme", product="Mail", edition="Full")
        other = factories.software_model(publisher="Acme", product="Mail", edition="Lite")

    Place.short_rights, Place.other_rights = entitlement(Place.short, 2), entitlement(Place.other, 2)
    for model, number in ((Place.short, 3), (Place.other, 2)):
        kind = factories.identifier(software_model=model)
        for _ in range(number):
            factories.subscription(profile=Place.profile, identifier=kind, first_seen_at=timezone.now() - 40 * DAY)
    return Place


def now() -> datetime:
    return timezone.now()


def current(model: Any) -> MetricResult:
    return MetricResult.objects.get(model_result__current=True, model_result__software_model=model)


def test_one_question_has_one_run_at_a_time(place):
    first, fresh = recompute.request(ask(now=now()), by=None, now=now())
    again, second = recompute.request(ask(now=now()), by=None, now=now())
    assert fresh and not second and again == first
    grouped, fresh = recompute.request(ask(now=now(), group="department"), by=None, now=now())
    assert fresh and grouped != first


@pytest.mark.parametrize(
    "question",
    [
        {"day": timezone.localdate() + 2 * DAY},
        {"group": "country", "subgroup": "country"},
        {"subgroup": "country"},
    ],
)
def test_what_cannot_be_answered_is_refused(question):
    with pytest.raises(BadQuestion):
        ask(question.pop("day", None), now=now(), **question)


def test_results_of_before_stand_when_a_run_is_canceled(place):
    reconcile_as_of(None, now=now())
    before = list(MetricResult.objects.values())
    entitlement(place.short, 5)
    asked, _ = recompute.request(ask(now=now()), by=None, now=now())
    job = execute.claim(asked.run_id)
    JobRun.objects.filter(pk=asked.run_id).update(cancel_requested=True)
    with pytest.raises(Canceled):
        reconcile.run(job, now=now())
    job.finish(JobRun.State.CANCELED)
    assert list(MetricResult.objects.values()) == before
    assert current(place.short).needed == 1
    recompute.settle_ended(now())
    asked.refresh_from_db()
    assert (asked.state, asked.problem) == (State.FAILED, recompute.CANCELED)


def test_nothing_is_stored_if_publishing_fails_in_its_middle(place, monkeypatch):
    reconcile_as_of(None, now=now())
    before = [list(model.objects.values()) for model in (ProductResult, ModelResult, MetricResult, SeatResult)]
    asked, _ = recompute.request(ask(now=now()), by=None, now=now())
    monkeypatch.setattr(publish, "_copy_seats", lambda metrics: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        reconcile.run(execute.claim(asked.run_id), now=now())
    assert before == [list(model.objects.values()) for model in (ProductResult, ModelResult, MetricResult, SeatResult)]


@pytest.mark.parametrize("fate", ["failed", "canceled", "gone"])
def test_a_run_that_ended_without_an_answer_holds_nobody_up(place, fate):
    asked, _ = recompute.request(ask(now=now()), by=None, now=now())
    jobs = JobRun.objects.filter(pk=asked.run_id)
    if fate == "gone":
        jobs.delete()
    else:
        jobs.update(state=fate, error_message="The worker was lost three times.")
    again, fresh = recompute.request(ask(now=now()), by=None, now=now())
    asked.refresh_from_db()
    assert fresh and again != asked and asked.state == State.FAILED and asked.problem


def test_one_model_is_computed_anew_and_its_product_with_it(place):
    whole = reconcile_as_of(None, now=now())
    product = ProductResult.objects.current().get()
    assert (product.needed, product.owned, product.out_of_compliance) == (1, 4, 1)
    entitlement(place.short, 1)
    asked = recompute.request_for_model(place.short.pk, by=None, now=now())
    answer(asked, now=now())
    assert current(place.short).needed == 0
    assert current(place.other).model_result.product_result.run == whole, "the other one was not computed again"
    product = ProductResult.objects.current().get()
    assert (product.run, product.needed, product.owned, product.out_of_compliance) == (asked, 0, 5, 0)
    assert MetricResult.objects.filter(model_result__product_result__run=whole).count() == 2, "the history is as it was"


def test_options_of_older_results_are_void(place):
    reconcile_as_of(None, now=now())
    old = RemediationOption.objects.get(kind="purchase")
    done = RemediationOption.objects.exclude(pk=old.pk).update(state="complete")
    reconcile_as_of(None, now=now())
    states = RemediationOption.objects.filter(metric_result=old.metric_result).values_list("state", flat=True)
    assert set(states) == ({"void", "complete"} if done else {"void"})
    assert RemediationOption.objects.get(kind="purchase", metric_result__model_result__current=True).state == "new"


def test_what_changes_after_a_run_has_begun_is_asked_for_once_more(place):
    first = recompute.request_for_model(place.short.pk, by=None, now=now())
    job = execute.claim(first.run_id)
    entitlement(place.short, 9)
    assert recompute.request_for_model(place.short.pk, by=None, now=now()) == first
    reconcile.run(job, now=now())
    job.finish(JobRun.State.SUCCEEDED)
    (again,) = ReconciliationRun.objects.exclude(pk=first.pk)
    assert again.state == State.IN_PROGRESS and again.scope_key == first.scope_key


def test_a_model_that_is_no_longer_managed_has_no_result(place):
    reconcile_as_of(None, now=now())
    type(place.short).objects.filter(pk=place.short.pk).update(under_management=False)
    run = reconcile_as_of(None, now=now())
    assert not ModelResult.objects.current().filter(software_model=place.short).exists()
    assert run.figures["aside"]["not_managed"] == 3


def test_a_publisher_with_an_amount_that_is_too_large_fails_alone(place):
    reconcile_as_of(None, now=now())
    good = factories.software_model(publisher="Good")
    entitlement(good, 1)
    Entitlement.objects.filter(pk=place.short_rights.pk).update(total_cost=Decimal("99999999999"), purchased_rights=1)
    run = reconcile_as_of(None, now=now())
    assert run.state == State.PARTIALLY_COMPLETED and "too large" in run.problem
    assert current(good).owned == 1
    assert current(place.short).owned == 2, "the results of before stand"
    assert current(place.short).model_result.product_result.current


def test_only_publishers_that_were_asked_for_are_computed(place):
    elsewhere = factories.software_model(publisher="Else")
    entitlement(elsewhere, 1)
    reconcile_as_of(None, now=now())
    Entitlement.objects.update(purchased_rights=7)
    run = reconcile_as_of(None, now=now(), publishers=("else",))
    assert current(elsewhere).owned == 7 and current(place.short).owned == 2
    assert run.figures["listed"] == 5, "what is aside is counted over all"


def test_seats_are_kept_of_current_results_and_of_those_a_person_keeps(place):
    kept = reconcile_as_of(None, now=now())
    ReconciliationRun.objects.update(kept=True)
    reconcile_as_of(None, now=now())
    past = [reconcile_as_of(timezone.localdate() - 3 * DAY, now=now()) for _ in range(2)]
    last = reconcile_as_of(None, now=now())
    forget_seats.run()
    with_seats = set(SeatResult.objects.values_list("metric_result__model_result__product_result__run", flat=True))
    assert with_seats == {kept.pk, past[1].pk, last.pk}
    assert MetricResult.objects.count() == 10, "the figures of all runs are kept"


def test_results_are_signed_and_a_changed_figure_is_found(place):
    run = reconcile_as_of(None, now=now())
    assert run.signature and sign.verify(run)
    type(place.short).objects.filter(pk=place.short.pk).update(edition="Renamed")
    assert sign.verify(run), "what is renamed elsewhere changes nothing of it"
    MetricResult.objects.filter(model_result__software_model=place.short).update(needed=0)
    assert not sign.verify(ReconciliationRun.objects.get(pk=run.pk))


def test_days_that_are_over_are_counted_once_for_charts(place):
    today = timezone.localdate()
    for _ in range(2):
        reconcile_as_of(None, now=now())
        assert UseDay.objects.count() == 40 * 2
    points = use_by_day.days_of([place.short.pk], today - 3 * DAY, today, Book.read())
    assert [(one.in_use, one.owned) for one in points] == [(3, 2), (3, 2), (3, 2), (None, 2)]


def test_progress_and_counters_are_those_of_the_run(place):
    run = reconcile_as_of(None, now=now())
    job = JobRun.objects.get(pk=run.run_id)
    assert job.counters["listed"] == job.counters["counted"] == 5
    assert (job.counters["models"], job.counters["out_of_compliance"], job.counters["unlicensed"]) == (2, 1, 1)
    assert job.items == job.expected_items


class TestSchedule:
    @pytest.fixture(autouse=True)
    def morning(self, settings: Any) -> None:
        settings.RECONCILE_AT = "00:00"

    def test_it_is_asked_for_once_a_local_date(self, place):
        schedule.start_reconciliation()
        schedule.start_reconciliation()
        run = ReconciliationRun.objects.get()
        assert run.scheduled_on == timezone.localdate() and run.run.trigger == JobRun.Trigger.SCHEDULE

    def test_it_is_not_asked_for_where_nothing_is_known(self):
        schedule.start_reconciliation()
        assert not ReconciliationRun.objects.exists()

    @pytest.mark.parametrize(("days_ago", "expected"), [(1, 1), (6, 1), (7, 2)])
    def test_once_a_week_is_a_choice(self, place, settings, days_ago, expected):
        settings.RECONCILE_EVERY = "week"
        schedule.start_reconciliation()
        ReconciliationRun.objects.update(scheduled_on=timezone.localdate() - timedelta(days=days_ago), scope_key="old")
        schedule.start_reconciliation()
        assert ReconciliationRun.objects.count() == expected

    @pytest.mark.parametrize("ended", ["succeeded", "failed", "held"])
    def test_it_follows_the_last_chain_of_the_day_whatever_became_of_it(self, settings, ended):
        settings.RECONCILE_AT, settings.DAILY_REFRESH_AT = "23:59", "00:00"
        jobs = [self.refreshed_profile() for _ in range(2)]
        first = self.start(jobs[0], ended, done=True)
        schedule.start_reconciliation()
        assert not ReconciliationRun.objects.exists(), "the other profile was not refreshed yet"
        second = self.start(jobs[1], "running", done=False)
        schedule.start_reconciliation()
        assert not ReconciliationRun.objects.exists(), "it is still under way"
        steps_behind = JobRun.objects.exclude(pk__in=[first.pk, second.pk])
        steps_behind.update(state="succeeded", in_chain=False, finished_at=now())
        JobRun.objects.filter(pk=second.pk).update(state=ended, in_chain=ended != "succeeded", finished_at=now())
        schedule.start_reconciliation()
        assert ReconciliationRun.objects.count() == 1

    def test_it_follows_a_chain_of_yesterday_that_ended_today_and_once_only(self, settings):
        """A refresh over midnight, or after the demo's clock was moved in the small hours."""
        settings.RECONCILE_AT, settings.DAILY_REFRESH_AT = "23:59", "23:58"
        profile = self.refreshed_profile()
        download = self.start(profile, "succeeded", done=True)
        yesterday = timezone.localdate() - DAY
        JobRun.objects.update(logical_date=None, in_chain=True)
        JobRun.objects.filter(pk=download.pk).update(logical_date=yesterday, state="failed", finished_at=now())
        for _ in range(2):
            schedule.start_reconciliation()
        run = ReconciliationRun.objects.get()
        assert run.is_whole and run.scheduled_on is None, "the day's own one is still to come"

    def refreshed_profile(self) -> IntegrationProfile:
        made = factories.profile(refreshed_at=now() - DAY)
        factories.credential(alias=made.alias, state="connected")
        made.scheduled_jobs.create(process="download_subscriptions")
        return made

    def start(self, profile: IntegrationProfile, state: str, *, done: bool) -> JobRun:
        ended = {"finished_at": now()} if done else {}
        today = timezone.localdate()
        return factories.run(profile=profile, state=state, in_chain=True, logical_date=today, **ended)


def test_a_worker_answers_it_through_the_queue(place):
    asked, _ = recompute.request(ask(now=now()), by=None, now=now())
    assert queue.Request(recompute.RECONCILE, JobRun.Trigger.MANUAL, subject=asked.pk).run_under_way() == asked.run
    answer(asked, now=now())
    asked.refresh_from_db()
    assert asked.state == State.COMPLETED and asked.number.startswith("REC")
