"""Asking the doctor, and reading what it found."""

from __future__ import annotations

import io
import json
from typing import Any

from django.core.management import call_command

PASSWORD = "very-secret-password"
Findings = dict[str, dict[str, str]]


def examine(*arguments: str) -> tuple[int, Findings]:
    """The exit code of `doctor --json`, and the worst finding of every check by its name."""
    out, code = io.StringIO(), 0
    try:
        call_command("doctor", "--json", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    report = json.loads(out.getvalue())
    assert report["healthy"] is (code == 0)
    return code, by_check(report)


def by_check(report: dict[str, Any]) -> Findings:
    return {finding["check"]: finding for finding in sorted(report["findings"], key=lambda one: one["level"] != "OK")}
