"""The figures for Prometheus, read from the database: one answer speaks for all processes, however many there are.

All are gauges, because rows are deleted after a while. What is counted *over a day* is counted back from the moment of
the answer. Labels hold keys and names of the product, and names of profiles: never an address, a person or a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from profiles.models import IntegrationProfile, JobRun
from reclamation.models import RemovalAttempt, RemovalBatch, RemovalCandidate
from samsaas.models import Heartbeat, Mail, Notification, Webhook, WebhookCall

DAY = timedelta(days=1)


class StoredFigures:
    """What a registry of prometheus_client asks. It counts anew for every answer."""

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every figure, with its meaning and its labels. Raises `django.db.Error`."""
        now = timezone.now()
        yield from _count_runs(now)
        yield from _sum_vendor_calls(now)
        yield from _age_of_profiles(now)
        yield from _count_removals()
        yield from _count_mails(now)
        yield from _count_events(now)
        silences = {(name,): silence.total_seconds() for name, silence in Heartbeat.silences().items()}
        yield _gauge(
            "samsaas_process_silent_seconds", "Since a worker, the beat or its sweep was heard.", ["name"], silences
        )


def _gauge(name: str, meaning: str, labels: list[str], values: dict[Any, float]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for key, value in values.items():
        family.add_metric([str(part) for part in key], value)
    return family


def _count(rows: QuerySet[Any], *columns: str) -> dict[Any, float]:
    counted = rows.order_by().values_list(*columns).annotate(Count("pk"))
    return {tuple(key): number for *key, number in counted}


def _seconds(moment: datetime | None, now: datetime) -> float:
    return max((now - moment).total_seconds(), 0.0) if moment else 0.0


def _count_runs(now: datetime) -> Iterator[Metric]:
    labels = ["process", "state"]
    yield _gauge(
        "samsaas_runs_active", "Runs that wait, are queued or run.", labels, _count(JobRun.objects.active(), *labels)
    )
    ended = JobRun.objects.filter(finished_at__gte=now - DAY)
    yield _gauge("samsaas_runs_ended_day", "Runs that ended over a day, by how.", labels, _count(ended, *labels))
    due = JobRun.objects.startable().filter(state=JobRun.State.QUEUED)
    oldest = due.aggregate(oldest=Min(Coalesce("not_before", "created_at")))["oldest"]
    yield _gauge(
        "samsaas_queue_age_seconds", "How long the oldest queued run could have begun.", [], {(): _seconds(oldest, now)}
    )


def _sum_vendor_calls(now: datetime) -> Iterator[Metric]:
    rows = JobRun.objects.filter(finished_at__gte=now - DAY, profile__isnull=False).order_by()
    by = rows.values_list("profile__vendor", "process")
    sums = list(by.annotate(Sum("pages"), Sum("retries"), Sum("throttled_seconds")))
    for place, name, meaning in (
        (2, "samsaas_vendor_pages_day", "Pages read from vendors by runs that ended over a day."),
        (3, "samsaas_vendor_repeats_day", "Calls to vendors that had to be repeated, over a day."),
        (4, "samsaas_vendor_wait_seconds_day", "Seconds that vendors made us wait, over a day."),
    ):
        yield _gauge(name, meaning, ["vendor", "process"], {row[:2]: float(row[place]) for row in sums})


def _age_of_profiles(now: datetime) -> Iterator[Metric]:
    published = IntegrationProfile.objects.filter(status=IntegrationProfile.Status.PUBLISHED)
    columns = ("pk", "display_name", "vendor", "attention", "refreshed_at", "activity_refreshed_at")
    rows = list(published.order_by("pk").values_list(*columns))
    labels = ["profile", "name", "vendor"]
    yield _gauge(
        "samsaas_profile_needs_attention",
        "1 where a person has to act.",
        labels,
        {row[:3]: float(bool(row[3])) for row in rows},
    )
    for place, name, meaning in (
        (4, "samsaas_refresh_age_seconds", "Since the last complete download of subscriptions."),
        (5, "samsaas_activity_age_seconds", "Since the last complete pull of activity."),
    ):
        yield _gauge(name, meaning, labels, {row[:3]: _seconds(row[place], now) for row in rows if row[place]})


def _count_removals() -> Iterator[Metric]:
    attempts = RemovalAttempt.objects.filter(dry_run=False)
    yield _gauge("samsaas_attempts", "Attempts to remove an account, by state.", ["state"], _count(attempts, "state"))
    batches = RemovalBatch.objects.exclude(state=RemovalBatch.State.DONE)
    yield _gauge(
        "samsaas_batches", "Batches of removals that are not done, by state.", ["state"], _count(batches, "state")
    )
    candidates = RemovalCandidate.objects.filter(closed_at=None)
    yield _gauge(
        "samsaas_candidates_open", "Open removal candidates, by state.", ["state"], _count(candidates, "state")
    )


def _count_mails(now: datetime) -> Iterator[Metric]:
    waiting = Mail.objects.filter(state=Mail.State.QUEUED)
    recent = Mail.objects.filter(queued_at__gte=now - DAY)
    yield _gauge(
        "samsaas_mails_day", "Mails that were queued over a day, by state.", ["state"], _count(recent, "state")
    )
    oldest = waiting.filter(not_before__lte=now).aggregate(oldest=Min("not_before"))["oldest"]
    yield _gauge(
        "samsaas_mail_age_seconds", "How long the oldest mail could have been sent.", [], {(): _seconds(oldest, now)}
    )


def _count_events(now: datetime) -> Iterator[Metric]:
    recent = Notification.objects.filter(at__gte=now - DAY)
    yield _gauge(
        "samsaas_notifications_day", "What happened over a day and may need a person.", ["kind"], _count(recent, "kind")
    )
    calls = WebhookCall.objects.filter(queued_at__gte=now - DAY)
    yield _gauge(
        "samsaas_webhook_calls_day",
        "Calls of webhooks that were queued over a day, by state.",
        ["state"],
        _count(calls, "state"),
    )
    due = WebhookCall.objects.filter(state=WebhookCall.State.QUEUED, not_before__lte=now)
    oldest = due.aggregate(oldest=Min("not_before"))["oldest"]
    yield _gauge(
        "samsaas_webhook_call_age_seconds",
        "How long the oldest call of a webhook could have been made.",
        [],
        {(): _seconds(oldest, now)},
    )
    stopped = Webhook.objects.filter(active=False, stopped_at__isnull=False).count()
    yield _gauge(
        "samsaas_webhooks_stopped", "Webhooks that were switched off because nothing arrived.", [], {(): stopped}
    )
