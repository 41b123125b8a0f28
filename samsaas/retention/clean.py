"""Delete what is older than the deployment's periods allow. A job that the beat requests once a local day.

1. Take each kind, and of it at most `AT_ONCE` old rows that nobody needs.
2. Delete them in one transaction, which ends with a fence and the counts: a worker that dies loses one batch at most.
3. When nothing is left, add an entry to the audit trail that says how many of each kind went.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from profiles.jobs import queue
from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas import audit
from samsaas.retention.kinds import KINDS, DataKind, RowGroup

DELETE_OLD = "delete_old_data"
EVERYTHING = 1  # the subject: one run at a time is enough
AT_ONCE = 1000


def start_due(now: datetime) -> None:
    """Request today's run, unless there is one already."""
    today = timezone.localdate(now)
    runs = JobRun.objects.filter(process=DELETE_OLD, subject=EVERYTHING)
    if not runs.filter(logical_date=today).exists():
        queue.request(queue.Request(DELETE_OLD, JobRun.Trigger.SCHEDULE, subject=EVERYTHING, logical_date=today))


def start(by: User) -> tuple[JobRun | None, bool]:
    """Request a run now. Returns it, or the one under way and False."""
    return queue.request(queue.Request(DELETE_OLD, JobRun.Trigger.MANUAL, subject=EVERYTHING, by=by))


def run(job: Job, *, now: datetime) -> None:
    """Delete all that is old. Raises `LeaseLost` or `Canceled`; what was deleted by then stays deleted."""
    counts = Counter({kind.key: 0 for kind in KINDS} | job.run.counters)
    for kind in KINDS:
        job.progress(step=f"Deleting: {kind.label.lower()}")
        for group in kind.groups:
            while _delete_batch(job, kind, group, counts, now):
                continue
    if any(counts.values()):
        gone = {key: count for key, count in counts.items() if count}
        days = {kind.key: kind.days for kind in KINDS if kind.key in gone}
        audit.record(None, "deleted old data", None, rows=gone, kept_days=days)
    job.progress(items=counts.total(), counters=dict(counts), step="")


@transaction.atomic
def _delete_batch(job: Job, kind: DataKind, group: RowGroup, counts: Counter[str], now: datetime) -> int:
    """The oldest rows of the group. Returns how many went."""
    rows = group.free(group.old(kind.before(now)), now)
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    if keys:
        group.delete(rows.model._default_manager.filter(pk__in=keys), now)
        counts[kind.key] += len(keys)
        job.progress(items=counts.total(), counters=dict(counts))
    return len(keys)
