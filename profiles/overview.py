"""The page of one profile: its state, connection, processes, jobs, last runs and notices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from profiles import notices, validate
from profiles.aliases import inheritance
from profiles.connectors import base
from profiles.jobs import chain, start
from profiles.models import Credential, IntegrationProfile, JobRun, ProcessCheck, ScheduledJob
from profiles.models.run import VALIDATE
from profiles.oauth import scopes

RECENT_RUNS = 5


@dataclass(frozen=True)
class CheckRow:
    """A process and the result of its last validation; `check` is `None` before the first one."""

    process: base.VendorProcess
    enabled: bool
    check: ProcessCheck | None


@dataclass(frozen=True)
class JobRow:
    """A scheduled job, where its time comes from, and its last run, by whatever trigger."""

    job: ScheduledJob
    origin: str
    last: JobRun | None

    @property
    def leads(self) -> bool:
        """Whether this job has a time of its own. Only the download has; the other jobs follow it."""
        return self.job.process == base.DOWNLOAD

    @property
    def refusal(self) -> str:
        """Why it cannot run now; empty when it can."""
        return start.refusal(self.job.profile, self.job.process)


@dataclass(frozen=True)
class Watched:
    """The run whose progress the page shows.

    Of a run that ended, `coming` names the step that starts next in its chain.
    """

    run: JobRun
    coming: str = ""


def page_context(profile: IntegrationProfile) -> dict[str, Any]:
    """The context of the profile page."""
    now = timezone.now()
    credentials = {credential.purpose: credential for credential in profile.alias.credentials.all()}
    runs = list(profile.runs.select_related("requested_by", "followed_by")[:RECENT_RUNS])
    main = credentials.get(base.SUBSCRIPTIONS)
    checks = list(profile.checks.select_related("run"))
    jobs = jobs_of(profile)
    banners = notices.for_profile(
        profile,
        main,
        checks=checks,
        jobs=[row.job for row in jobs],
        validating=any(run.process == VALIDATE for run in runs if run.is_active),
        now=now,
    )
    return {
        "profile": profile,
        "vendor": profile.vendor_info,
        "credentials": [credentials[purpose] for purpose in Credential.Purpose.values if purpose in credentials],
        "main": main,
        "files_to": scopes.reclamation_admin(profile),
        "session_scope": scopes.session_scope(profile, base.SUBSCRIPTIONS),
        "processes": scopes.by_grant_and_refusals(profile),
        "excess": scopes.excess_by_purpose(profile),
        "checks": _check_rows(profile, checks),
        "jobs": jobs,
        "runs": runs,
        "watched": _run_to_follow(runs, now),
        "notices": banners,
        "can_download": can_download(profile),
        "can_validate": validate.can_validate(profile),
        "redirect_url": settings.OAUTH_REDIRECT_URL,
        "open_attempts": profile.authorizations.filter(used_at=None).exists(),
    }


def _run_to_follow(runs: list[JobRun], now: datetime) -> Watched | None:
    active = [run for run in runs if run.is_active]
    if active:
        return Watched(min(active, key=lambda run: run.state == JobRun.State.WAITING))
    ended = (Watched(run, chain.next_step_label(run, now=now)) for run in runs)
    return next((step for step in ended if step.coming), None)


def can_download(profile: IntegrationProfile) -> bool:
    return not start.refusal(profile, base.DOWNLOAD)


def _check_rows(profile: IntegrationProfile, checks: list[ProcessCheck]) -> list[CheckRow]:
    held = {check.process: check for check in checks}
    return [
        CheckRow(process, profile.process_enabled(process.key), held.get(process.key))
        for process in profile.vendor_info.processes
    ]


def jobs_of(profile: IntegrationProfile) -> list[JobRow]:
    """The scheduled jobs of a profile, the download first."""
    found = list(profile.scheduled_jobs.all())
    last = profile.runs.filter(process__in=[job.process for job in found]).order_by().values("process")
    runs = {run.process: run for run in JobRun.objects.filter(pk__in=last.annotate(last=Max("pk")).values("last"))}
    for job in found:
        job.profile = profile  # this one has its alias loaded
    rows = [JobRow(job, time_origin(job), runs.get(job.process)) for job in found]
    return sorted(rows, key=lambda row: not row.leads)


def time_origin(job: ScheduledJob) -> str:
    """Where the time of the job is set: on the job, on an alias, or in this installation."""
    alias = job.profile.alias
    at, zone = (inheritance.setting_of(alias, name).origin for name in ("refresh_at", "zone"))
    at, zone = "set on this job" if job.refresh_at else at, "set on this job" if job.zone else zone
    return at if at == zone else f"time {at}, zone {zone}"
