"""The only place that knows the daily order, and what the beat does.

Beat ticks; the database decides. A refresh is due when the local time of its scheduled job has passed today and today's
run row does not exist yet, so two beats, a late beat or a night with a changed clock still make one run a local date.
A run that succeeded is followed by the next step of the order; a failed, held or canceled one ends its chain.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from celery import shared_task
from django.conf import settings
from django.db.models import Max, Q
from django.db.models.functions import Now
from django.utils import timezone

from profiles.connectors import base
from profiles.jobs import queue
from profiles.jobs.process import find_process
from profiles.models import Credential, IntegrationProfile, JobRun, ScheduledJob
from reclamation import reconsider
from reclamation.asking import sweep as asking_sweep
from reclamation.find_candidates import FIND
from reclamation.reexamine import REEXAMINE
from reclamation.removal import sweep as removal_sweep
from reclamation.rules import exempt
from samsaas import outbox, purge_expired
from samsaas.accounts import reset_password
from samsaas.events import call, notice, tell
from samsaas.list_exports import write
from samsaas.models import Heartbeat
from samsaas.reports import send as send_reports
from samsaas.retention import clean
from samsaas.sealing import seal
from subscriptions import recompute
from subscriptions.download import staging
from subscriptions.entitlements.imports import steps as entitlement_imports
from subscriptions.models import Entitlement, ReconciliationRun
from subscriptions.people.imports import feed, retention
from subscriptions.question import ask
from subscriptions.rematch import MATCH
from subscriptions.renewals import remind
from subscriptions.seat_counts import count

DAILY_ORDER = (base.DOWNLOAD, MATCH, base.ACTIVITY, REEXAMINE, FIND)
CHAIN_STALE_AFTER = timedelta(days=2)


@shared_task
def sweep() -> None:
    """Every few seconds: show that ticks arrive, take runs from dead workers, go on with chains, ring again, and drop
    what nobody waits for any more."""
    Heartbeat.record(Heartbeat.SWEEP)
    queue.sweep()
    follow()
    staging.drop_orphans()
    retention.discard_unconfirmed(timezone.now())
    entitlement_imports.discard_unconfirmed(timezone.now())
    write.discard_old(timezone.now())


@shared_task
def follow() -> int:
    """Request the step after every run of a chain that succeeded; returns how many were requested."""
    fresh = Q(finished_at__gt=Now() - CHAIN_STALE_AFTER)
    done = JobRun.objects.filter(
        fresh, in_chain=True, state=JobRun.State.SUCCEEDED, followed_by=None, profile__isnull=False
    )
    requested = 0
    for run in done.exclude(process=DAILY_ORDER[-1]).select_related("profile__alias__parent"):
        following = next_step(run)
        if following and run.profile:
            _, new = queue.request(
                queue.Request(
                    following, JobRun.Trigger.CHAIN, profile=run.profile, by=run.requested_by, in_chain=True, after=run
                )
            )
            requested += new
    return requested


def next_step(run: JobRun) -> str | None:
    """The next step the profile takes part in. A step that has a scheduled job is passed over where that is paused.

    Candidates are not looked for where the profile was disconnected meanwhile.
    """
    profile = run.profile
    if profile is None or run.process not in DAILY_ORDER[:-1]:
        return None
    not_going = {*ScheduledJob.Process.values} - {
        *profile.scheduled_jobs.filter(paused=False).values_list("process", flat=True)
    }
    later = DAILY_ORDER[DAILY_ORDER.index(run.process) + 1 :]
    if find_process(FIND).refusal(profile):
        later = tuple(step for step in later if step != FIND)
    return next((step for step in later if profile.process_enabled(step) and step not in not_going), None)


@shared_task
def start_reconciliation() -> None:
    """Every minute: compute the license position when the last chain of the local date is over, whatever failed.

    At `RECONCILE_AT` it is computed in any case. Where nothing is refreshed and nothing is owned, there is none.
    """
    now = timezone.now()
    recompute.settle_ended(now)
    local = timezone.localtime(now)
    if settings.RECONCILE_EVERY == "day" and _has_caught_up(now):
        recompute.request(ask(now=now), by=None, now=now)
        return
    days = {"day": timedelta(0), "week": timedelta(days=6)}[settings.RECONCILE_EVERY]
    if ReconciliationRun.objects.filter(scheduled_on__gte=local.date() - days).exists():
        return
    has_come = local.time() >= time.fromisoformat(settings.RECONCILE_AT) and _is_anything_known()
    if has_come or chains_are_over(now):
        recompute.request(ask(now=now), by=None, now=now, scheduled_on=local.date())


def _has_caught_up(now: datetime) -> bool:
    """Whether the refresh of an earlier day came to its end today, and the position is older than that.

    So it was when its hour had passed at night, or when the demo's clock jumped over it. Today's own refresh, and the
    position that follows it, are still to come.
    """
    began = datetime.combine(timezone.localdate(now), time(0), tzinfo=timezone.get_current_timezone())
    today = JobRun.objects.filter(in_chain=True, finished_at__gte=began)
    if not today.filter(process=DAILY_ORDER[0], logical_date__lt=began.date()).exists():
        return False
    if follow() or JobRun.objects.active().filter(in_chain=True).exists():
        return False
    newest = today.aggregate(newest=Max("finished_at"))["newest"]
    whole = ReconciliationRun.objects.filter(question_date=None, scope_key__endswith="/all")
    return not whole.filter(started_at__gte=newest).exists()


def _is_anything_known() -> bool:
    refreshed = IntegrationProfile.objects.filter(refreshed_at__isnull=False)
    return refreshed.exists() or Entitlement.objects.published().exists()


def chains_are_over(now: datetime) -> bool:
    """Whether today's chain of every refreshed profile was asked for and has come to its end, good or bad."""
    jobs = _refreshable()
    if not jobs or not all(due(job, now) and _asked_for(job, now.astimezone(job.local_zone), now) for job in jobs):
        return False
    return not follow() and not JobRun.objects.active().filter(in_chain=True).exists()


@shared_task
def fetch_people() -> None:
    """Every minute: fetch the day's file of people when its time has come, and apply one that need not wait."""
    feed.start_due(timezone.now())
    feed.go_on()


@shared_task
def purge() -> None:
    """Every hour: delete or close what is over, such as expired sessions; once a day what is older than its period."""
    now = timezone.now()
    purge_expired.run(now)
    exempt.end_past(now, timezone.localtime(now).date())
    reconsider.cancel_undecided(now)
    clean.start_due(now)


@shared_task
def seal_audit() -> None:
    """Every minute: seal the entries of the audit trail that are five minutes old."""
    seal.run(now=timezone.now())


@shared_task
def sweep_removals() -> None:
    """Every minute: go on with removals that are due, and look for those that were wrong."""
    removal_sweep.run(timezone.now())


@shared_task
def send_mails() -> None:
    """Every minute: answer who lost a password, and send the mails that are due."""
    reset_password.answer_requests(timezone.now())
    outbox.send_due(timezone.now())


@shared_task
def tell_of_events() -> None:
    """Every minute: notice what happened, tell people by mail, and call the webhooks that are due."""
    now = timezone.now()
    notice.run(now)
    tell.run(now)
    call.run(now)


@shared_task
def remind_of_renewals() -> None:
    """Every minute: remind people of renewals while the vendor still takes a reduction, and send due reports."""
    remind.run(timezone.now())
    send_reports.run(timezone.now())


@shared_task
def sweep_asking() -> None:
    """Every minute: go on with candidates whose users or approvers have answered, or have had their time."""
    asking_sweep.run(timezone.now())


@shared_task
def count_seats() -> None:
    """Every few seconds: count the seats of profiles whose facts have changed, for the pages that show figures."""
    count.run_due(timezone.now())


@shared_task
def start_due() -> None:
    """Every minute: request today's refresh of every published, connected profile whose time has come."""
    now = timezone.now()
    for job in _refreshable():
        if due(job, now):
            _start(job, now.astimezone(job.local_zone), now)


def start_missed(now: datetime) -> None:
    """Request the last refresh that came due of every such profile, also yesterday's: a clock jumped over its time."""
    for job in _refreshable():
        local = now.astimezone(job.local_zone)
        _start(job, local if due(job, now) else local - timedelta(days=1), now)


def _start(job: ScheduledJob, day: datetime, now: datetime) -> None:
    if not _asked_for(job, day, now):
        request = queue.Request(
            job.process, JobRun.Trigger.SCHEDULE, profile=job.profile, logical_date=day.date(), in_chain=True
        )
        queue.request(request)


def _asked_for(job: ScheduledJob, day: datetime, now: datetime) -> bool:
    """Whether there is this day's refresh: the schedule's own, or one of another trigger since its time, such as the
    first one after connecting. One of those that failed leaves it to be made.
    """
    own = Q(logical_date=day.date())
    other = Q(in_chain=True, created_at__range=(_moment(job.local_time, day, job.local_zone), now))
    runs = JobRun.objects.filter(profile=job.profile, process=job.process)
    return runs.filter(own | other & ~Q(state=JobRun.State.FAILED)).exists()


def due(job: ScheduledJob, now: datetime) -> bool:
    """Whether today's time has passed where the job lives. Skipped hour: from its end. Repeated hour: first pass."""
    return now >= _moment(job.local_time, now.astimezone(job.local_zone), job.local_zone)


def next_due(job: ScheduledJob, now: datetime) -> datetime:
    """When the job's time comes next, whether or not it is paused."""
    local = now.astimezone(job.local_zone)
    today = _moment(job.local_time, local, job.local_zone)
    return today if today > now else _moment(job.local_time, local + timedelta(days=1), job.local_zone)


def _moment(at: time, day: datetime, zone: ZoneInfo) -> datetime:
    moment = datetime.combine(day.date(), at, tzinfo=zone)
    if moment.astimezone(UTC).astimezone(zone).date() == day.date():
        return moment
    # The skipped hour is the last of the day (Nuuk, in spring) and ends tomorrow: today's refresh comes before it.
    return moment.replace(fold=1)


def _refreshable() -> list[ScheduledJob]:
    return list(
        ScheduledJob.objects.filter(
            process=DAILY_ORDER[0],
            paused=False,
            profile__status=IntegrationProfile.Status.PUBLISHED,
            profile__alias__credentials__purpose=Credential.Purpose.SUBSCRIPTIONS,
            profile__alias__credentials__state=Credential.State.CONNECTED,
        ).select_related("profile__alias__parent")
    )
