"""Answer one question to the reconciliation: what is used, what is owned, what does it come to.

1. Read the facts of that moment, the entitlements and the allocations in one snapshot, and rank the seats (`compute`).
2. Publish the results in one transaction (`publish`). Until then the old ones stand, also if this is canceled.
3. Delete the seats of results that were replaced (`forget_seats`), and count the days that are over (`use_by_day`).
4. If something has changed after the run had begun, ask the same once more.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from profiles.jobs.job import Canceled, Job, LeaseLost
from profiles.models import JobRun
from subscriptions import recompute
from subscriptions.models import ReconciliationRun
from subscriptions.question import of_run
from subscriptions.reconciliation import compute, forget_seats, publish, use_by_day

FAILED_REMEDY = "Look at the costs and rights of the entitlements named here, correct them, and run it again."


def run(job: Job, *, now: datetime) -> None:
    """Answer the question of the job. Raises `LeaseLost` or `Canceled`."""
    asked = ReconciliationRun.objects.filter(run=job.run.pk, finished_at=None).first()
    if asked is None:
        raise LeaseLost("The reconciliation was ended meanwhile.")
    job.progress(items=0, expected=compute.STEPS, step="Reading subscriptions and entitlements")
    try:
        position = compute.run(of_run(asked, now=now), show=job.show_progress)
        job.progress(items=compute.STEPS, step="Publishing the results")
        answered = publish.run(job, asked, position, now=now)
    finally:
        compute.drop_tables()
    with suppress(Canceled):  # the results stand already
        _tidy_up(job, answered, now)
    if answered.ask_again:
        recompute.request(of_run(answered, now=now), by=answered.requested_by, now=now)
    if answered.state == ReconciliationRun.State.FAILED:
        problem = {"error_kind": "TooLarge", "error_message": answered.problem, "error_remedy": FAILED_REMEDY}
        job.finish(JobRun.State.FAILED, **problem)


def _tidy_up(job: Job, answered: ReconciliationRun, now: datetime) -> None:
    job.progress(step="Deleting what was replaced")
    forget_seats.run(between=job.fence)
    if answered.is_whole and answered.question_date is None:
        use_by_day.store_missing(now=now)
