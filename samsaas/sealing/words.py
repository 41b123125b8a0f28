"""What was found when the trail was verified, in sentences."""

from __future__ import annotations

from samsaas.sealing.check import Report


def describe_report(report: Report) -> list[str]:
    """A line each: what was checked, what is wrong, what is odd, and where the chain ends."""
    lines = [_describe_outcome(report), *(f"- {problem.text}" for problem in report.problems)]
    if report.problem_count > len(report.problems):
        lines.append(f"- and {report.problem_count - len(report.problems):,} more")
    if report.purged:
        lines.append(f"Purged: {report.purged:,} sealed {_entries(report.purged)}, as the seal of the purge says.")
    if report.late:
        lines.append(f"Late: {report.late:,} {_entries(report.late)}, committed after one seal and sealed in the next.")
    if report.unsealed:
        lines.append(f"Newer: {report.unsealed:,} {_entries(report.unsealed)}, not sealed yet and so not checked.")
    lines += [f"Warning: {warning}" for warning in report.warnings]
    if last := report.last_seal:
        lines.append(f"Last seal: {last['number']}:{last['hash']} of {last['at']}, key {last['key']}.")
    return lines


def _describe_outcome(report: Report) -> str:
    if not report.is_sound:
        return f"The audit trail is NOT as it was sealed. Problems found: {report.problem_count:,}."
    seals = f"{report.seals:,} seal{'' if report.seals == 1 else 's'}"
    return f"{report.sealed:,} {_entries(report.sealed)} in {seals}: none was changed, deleted, inserted or moved."


def _entries(count: int) -> str:
    return "entry" if count == 1 else "entries"
