"""The checks behind `manage.py doctor`: what is wrong with an installation, and what to do about it.

Each check is a function without arguments that yields findings. A check changes nothing: it rolls back what it writes.
"""

from __future__ import annotations

from samsaas.diagnosis import configuration, jobs, mail, storage, vendors
from samsaas.diagnosis.findings import FAIL, OK, WARN, Finding, run_checks, warn

__all__ = ["FAIL", "OK", "WARN", "Finding", "run"]


def run(*, vendor: bool = False) -> list[Finding]:
    """Run all checks. Returns the findings in the order in which to read them.

    `vendor` also tests whether the vendors can be reached. Checks that need the database are skipped while the
    database or its migrations fail.
    """
    found = (
        run_checks((*configuration.CHECKS, vendors.vendor_addresses)) + _examine_storage() + run_checks((jobs.broker,))
    )
    return found + (run_checks((vendors.vendors_reachable,)) if vendor else [])


def _examine_storage() -> list[Finding]:
    found: list[Finding] = []
    for step in ((storage.database,), (storage.migrations,), storage.CHECKS + jobs.CHECKS + mail.CHECKS):
        if any(finding.level == FAIL for finding in found):
            return [*found, warn("stored data", "Not checked.", "Repair the database first.")]
        found += run_checks(step)
    return found
