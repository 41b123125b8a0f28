"""The processes of this app: verify the audit trail, write a long list into a workbook, delete what is old."""

from __future__ import annotations

from datetime import datetime

from profiles.jobs.job import Job
from profiles.jobs.process import Counter, Link, Process
from profiles.models import JobRun
from samsaas.list_exports import write
from samsaas.list_exports.order import EXPORT_LIST
from samsaas.retention import clean
from samsaas.retention.kinds import KINDS
from samsaas.sealing import seal, verify
from samsaas.sealing.words import describe_report

VERIFY_AUDIT = "verify_audit"
WHOLE_TRAIL = 1  # there is one trail, so one verification at a time
REMEDY = (
    "Somebody changed the database past samsaas, or it was restored from a backup. Find out who could, keep a copy of "
    "the database as it is, and compare the entry with your last backup: docs/operating.md, The audit trail."
)


def run(job: Job, *, now: datetime) -> None:
    """Seal what is due, then verify the whole trail. Raises `LeaseLost` or `Canceled`."""
    seal.run_to_the_end(now=now)
    report = verify.run(now=now, progress=lambda entries: job.progress(items=entries))
    for warning in report.warnings:
        job.warn(warning)
    names = ("seals", "sealed", "unsealed", "late", "purged")
    counters = {name: getattr(report, name) for name in names} | {"problems": report.problem_count}
    if report.is_sound:
        job.progress(items=report.sealed, counters=counters, facts={"last_seal": report.last_seal})
        return
    job.close(
        JobRun.State.FAILED,
        items=report.sealed,
        counters=counters,
        error_kind="AuditTrailChanged",
        error_message=" ".join(describe_report(report)[: 1 + len(report.problems)]),
        error_remedy=REMEDY,
    )


def _open_trail(run: JobRun) -> list[Link]:
    return [Link("Open the audit trail", "/audit/", "audit_list")]


def _open_periods(run: JobRun) -> list[Link]:
    return [Link("Open Retention", "/retention/", "retention")]


def _download(run: JobRun) -> list[Link]:
    if run.state != JobRun.State.SUCCEEDED:
        return []
    return [Link("Download the workbook", f"/exports/{run.subject}/", "exported_list")]


PROCESSES = [
    Process(
        key=VERIFY_AUDIT,
        label="Verify audit trail",
        unit="Entries",
        verb=run,
        counters={
            "sealed": Counter("As sealed", "entries that are as they were when they were sealed"),
            "seals": Counter("Seals", "each with a signature and the hash of the one before"),
            "unsealed": Counter("Not sealed yet", "entries of the last minutes, which were not checked"),
            "late": Counter("Committed late", "entries of long transactions, sealed with the next seal", True),
            "purged": Counter("Purged", "sealed entries that a purge deleted", True),
            "problems": Counter("Problems", "entries or seals that are not as they were", True),
        },
        done_text="No sealed entry was changed, deleted, inserted or moved.",
        of_subject=True,
        survives_outages=False,
        canceled_text="Nothing was changed by it.",
        ways_on=_open_trail,
        start_elsewhere="The audit trail is verified from its own page.",
    ),
    Process(
        key=EXPORT_LIST,
        label="Export list",
        unit="Lines",
        verb=write.run,
        done_text="The workbook is written. Only who asked for it can download it, for seven days.",
        of_subject=True,
        survives_outages=False,
        canceled_text="No file was stored.",
        ways_on=_download,
        start_elsewhere="A list is exported from its own page.",
    ),
    Process(
        key=clean.DELETE_OLD,
        label="Delete old data",
        unit="Rows",
        verb=clean.run,
        counters={kind.key: Counter(kind.label, f"deleted {kind.days} days {kind.since}") for kind in KINDS},
        done_text="Everything that is older than its period was deleted, but for what is still needed.",
        of_subject=True,
        survives_outages=False,
        canceled_text="What was deleted until then stays deleted.",
        ways_on=_open_periods,
        start_elsewhere="Old data is deleted from the page Retention.",
    ),
]
