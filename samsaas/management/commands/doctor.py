"""`manage.py doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management import BaseCommand

from samsaas import diagnosis


class Command(BaseCommand):
    help = (
        "Report what is wrong with this installation and what to do about it. Exit code 0: no check fails; 1: one does."
    )
    requires_system_checks: list[str] = []  # they are part of the report

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")
        parser.add_argument("--vendor", action="store_true", help="also ask whether the vendors can be reached")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = diagnosis.run(vendor=options["vendor"])
        healthy = not any(finding.level == diagnosis.FAIL for finding in findings)
        if options["json"]:
            report = {"healthy": healthy, "findings": [asdict(finding) for finding in findings]}
            self.stdout.write(json.dumps(report, indent=2))
        else:
            for finding in findings:
                self.stdout.write(self._format_line(finding))
        if not healthy:
            sys.exit(1)

    def _format_line(self, finding: diagnosis.Finding) -> str:
        styles = {diagnosis.OK: self.style.SUCCESS, diagnosis.WARN: self.style.WARNING}
        level = styles.get(finding.level, self.style.ERROR)(f"{finding.level:<4}")
        remedy = f" Remedy: {finding.remedy}" if finding.remedy else ""
        line = f"{finding.check}: {finding.message}{remedy}"
        # A profile's name may contain control characters, which a terminal would obey.
        return f"{level}  {''.join(sign if sign.isprintable() else ' ' for sign in line)}"
