"""The processes of one profile, each as one row: what it needs, whether it works, when it ran and when it runs next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Max

from profiles.aliases import inheritance
from profiles.connectors import base
from profiles.jobs import start
from profiles.models import IntegrationProfile, JobRun, ProcessCheck, ScheduledJob
from profiles.oauth import scopes


@dataclass(frozen=True)
class ProcessRow:
    """A process with its scopes, its last validation, its scheduled job and its last run, by whatever trigger.

    `check` is `None` before the first validation. `job` is `None` before a process passed one, and for a process that
    no clock starts. `origin` says where the time of the job is set.
    """

    scopes: scopes.ProcessScopes
    check: ProcessCheck | None
    job: ScheduledJob | None
    origin: str
    last: JobRun | None

    @property
    def process(self) -> base.VendorProcess:
        return self.scopes.process

    @property
    def enabled(self) -> bool:
        return self.scopes.enabled

    @property
    def state(self) -> str:
        """The state of the scopes; `failed` where they suffice and a validation after the consent failed."""
        check, consent = self.check, self.scopes.consent
        failed = check and not check.passed and (consent is None or check.checked_at > consent)
        return "failed" if failed and self.scopes.state == "ready" else self.scopes.state

    @property
    def can_switch(self) -> bool:
        """Whether a person may switch it off: everything else rests on the download, which is always on."""
        return self.process.key != base.DOWNLOAD

    @property
    def turn(self) -> str:
        """What its switch would do."""
        return "off" if self.enabled else "on"

    @property
    def is_daily(self) -> bool:
        """Whether the daily refresh runs it."""
        return self.process.key in ScheduledJob.Process.values

    @property
    def leads(self) -> bool:
        """Whether its job has a time of its own. Only the download has; the other jobs follow it."""
        return self.process.key == base.DOWNLOAD

    @property
    def refusal(self) -> str:
        """Why its job cannot run now; empty when it can."""
        return start.refusal(self.job.profile, self.process.key) if self.job else ""


def rows_of(profile: IntegrationProfile, checks: Iterable[ProcessCheck], jobs: list[ScheduledJob]) -> list[ProcessRow]:
    """One row for each process of the vendor, in the registry's order."""
    checked, scheduled = {check.process: check for check in checks}, {job.process: job for job in jobs}
    last = _last_runs(profile)
    return [
        ProcessRow(
            row,
            checked.get(row.process.key),
            job := scheduled.get(row.process.key),
            time_origin(job) if job else "",
            last.get(row.process.key),
        )
        for row in scopes.by_grant_and_refusals(profile)
    ]


def _last_runs(profile: IntegrationProfile) -> dict[str, JobRun]:
    keys = [process.key for process in profile.vendor_info.processes]
    last = profile.runs.filter(process__in=keys).order_by().values("process").annotate(last=Max("pk")).values("last")
    return {run.process: run for run in JobRun.objects.filter(pk__in=last)}


def jobs_of(profile: IntegrationProfile) -> list[ScheduledJob]:
    """The scheduled jobs of a profile, each with this profile, which has its alias loaded."""
    found = list(profile.scheduled_jobs.all())
    for job in found:
        job.profile = profile
    return found


def time_origin(job: ScheduledJob) -> str:
    """Where the time of the job is set: on the job, on an alias, or in this installation."""
    alias = job.profile.alias
    at, zone = (inheritance.setting_of(alias, name).origin for name in ("refresh_at", "zone"))
    at, zone = "set on this job" if job.refresh_at else at, "set on this job" if job.zone else zone
    return at if at == zone else f"time {at}, zone {zone}"
