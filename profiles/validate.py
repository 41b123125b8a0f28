"""Validate a connection: try at the vendor what each enabled process needs, without changing anything there.

1. Compare the scopes each process needs with what was granted. Ask whom the grant belongs to, if that is not known yet.
2. Ask the vendor, process by process. When one fails, the next is tried all the same.
3. Store each result, with the vendor's request id where it refused.
4. If the download works, publish the profile and start its first refresh. Every process that passed gets its scheduled
   job. For a process that failed, the profile's page shows cause and remedy; it does not hold up the others.

ServiceNow tries only the download and the activity, and answers with one sentence. Reclaim is tried here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from profiles.connection import credentials
from profiles.connectors import base
from profiles.jobs import queue
from profiles.jobs.job import Job, LeaseLost
from profiles.models import IntegrationProfile, JobRun, ProcessCheck, ScheduledJob
from profiles.oauth import grants, scopes


@dataclass(frozen=True)
class CheckResult:
    """The result of checking one process. `message` is a sentence for the page; `error` is set where it failed."""

    process: base.VendorProcess
    message: str
    error: base.ConnectorError | None = None


def run(job: Job, *, now: datetime) -> None:
    """Try every enabled process and store the results.

    Then raises the first failing process's `base.ConnectorError`.
    """
    profile = job.run.profile
    if profile is None:
        raise LeaseLost("The profile is gone.")
    rows = [row for row in scopes.by_grant(profile) if row.enabled]
    found = []
    for number, row in enumerate(rows, 1):
        job.progress(step=f"Trying: {row.process.label}", items=number - 1, expected=len(rows))
        found.append(_try_process(job, row))
    with transaction.atomic():
        _store_checks(job.run, profile, found, now)
        failed = [one.error for one in found if one.error]
        passed = [one.process.key for one in found if not one.error]
        if base.DOWNLOAD in passed:
            publish(profile, passed, by=job.run, validated_at=None if failed else now)
        job.progress(items=len(rows), counters={"passed": len(passed), "failed": len(failed)})
    if failed:
        raise failed[0]


def _try_process(job: Job, row: scopes.ProcessScopes) -> CheckResult:
    try:
        if row.missing and row.connected:
            raise base.MissingScope(f"The token lacks {', '.join(row.missing)}.", scope=row.missing[0])
        connector = job.connector(row.process.purpose)
        if job.run.profile:
            grants.complete_identity(job.run.profile, row.process.purpose, connector)
        found = _authorized_by(job.run.profile, row.process.purpose)
        return CheckResult(row.process, connector.probe(row.process.key, authorized_by=found))
    except base.ConnectorError as error:  # whoever refreshes tokens has noted whether the grant is gone
        return CheckResult(row.process, str(error), error)


def _authorized_by(profile: IntegrationProfile | None, purpose: str) -> str:
    """The vendor's id of the admin who authorized the credential; empty where that is not known."""
    return credentials.credential_for(profile, purpose).admin_external_id if profile else ""


def _store_checks(run: JobRun, profile: IntegrationProfile, found: list[CheckResult], now: datetime) -> None:
    profile.checks.exclude(process__in=[one.process.key for one in found]).delete()
    for one in found:
        failure = one.error.failure if one.error else base.Failure()
        ProcessCheck.objects.update_or_create(
            profile=profile,
            process=one.process.key,
            defaults={
                "run": run,
                "passed": one.error is None,
                "message": one.message,
                "remedy": one.error.remedy if one.error else "",
                "status": failure.status,
                "request_id": failure.request_id[:120],
                "refused_scope": one.error.scope[:120] if isinstance(one.error, base.MissingScope) else "",
                "checked_at": now,
            },
        )


def publish(profile: IntegrationProfile, passed: list[str], *, by: JobRun, validated_at: datetime | None) -> None:
    """Publish the profile, schedule the processes that passed, and start a refresh now. It runs daily from then on."""
    locked = IntegrationProfile.objects.select_for_update(no_key=True, of=("self",)).get(pk=profile.pk)
    locked.status, locked.validated_at = IntegrationProfile.Status.PUBLISHED, validated_at
    locked.save(update_fields=["status", "validated_at", "updated_at"])
    for process in ScheduledJob.Process.values:
        if process in passed:
            ScheduledJob.objects.get_or_create(profile=locked, process=process)
    first = locked.refreshed_at is None
    trigger = JobRun.Trigger.FIRST if first else JobRun.Trigger.MANUAL
    queue.request(queue.Request(base.DOWNLOAD, trigger, profile=locked, by=by.requested_by, in_chain=True))


def withdraw(profile: IntegrationProfile) -> None:
    """Return the profile to Draft and delete the scheduled jobs of processes that are off.

    The caller saves the profile.
    """
    off = [process for process in ScheduledJob.Process.values if not profile.process_enabled(process)]
    profile.scheduled_jobs.filter(process__in=off).delete()
    profile.status, profile.validated_at = IntegrationProfile.Status.DRAFT, None


def can_validate(profile: IntegrationProfile) -> bool:
    """Whether any credential of the profile has a token to try."""
    return any(credential.is_connected for credential in profile.alias.credentials.all())
