"""What is wrong with an installation and what to do about it: the checks behind `manage.py doctor`.

Each check is a function without arguments that yields findings. Checks only look: what they try to write they undo.
"""

from __future__ import annotations

from samsaas.diagnosis import configuration, jobs, storage, vendors
from samsaas.diagnosis.findings import FAIL, OK, WARN, Finding, findings_of, warn

__all__ = ["FAIL", "OK", "WARN", "Finding", "run"]


def run(*, vendor: bool = False) -> list[Finding]:
    """Every finding, in the order in which to read them; `vendor` also asks whether the vendors can be reached.

    What rests on the database is left out while the database itself is not in order.
    """
    found = findings_of((*configuration.CHECKS, vendors.addresses)) + _stored() + findings_of((jobs.broker,))
    return found + (findings_of((vendors.reachable,)) if vendor else [])


def _stored() -> list[Finding]:
    found: list[Finding] = []
    for step in ((storage.database,), (storage.migrations,), storage.CHECKS + jobs.CHECKS):
        if any(finding.level == FAIL for finding in found):
            return [*found, warn("stored data", "Not looked at.", "Put the database in order first.")]
        found += findings_of(step)
    return found
