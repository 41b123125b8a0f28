"""`manage.py verify_audit`: was the audit trail changed since it was sealed?

1. Check every seal and entry, of the database or with --file of an exported trail, which needs no database.
2. With --seal, look for a seal of which you kept number and hash elsewhere. A cut end shows in no other way.
3. Print what was found, in sentences or with --json. The exit code says it, too: 0 sound, 1 not, 2 cannot be checked,
   3 sound with a warning.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand
from django.utils import timezone

from samsaas.lib import signatures
from samsaas.lib.log_lines import escape_controls
from samsaas.sealing import trail_file, verify
from samsaas.sealing.check import Report
from samsaas.sealing.words import describe_report

NOT_SOUND, CANNOT, WARNED = 1, 2, 3
NO_KEYS = (
    "There is no key to check signatures with. Set AUDIT_SIGNING_KEY or AUDIT_PUBLIC_KEYS, or name one with --key."
)


class Command(BaseCommand):
    help = "Check the audit trail against its seals, and name the first entry that is not as it was sealed."
    requires_system_checks: list[str] = []  # a file is checked where nothing else is set up

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("--file", type=Path, help="check this exported trail instead of the database")
        parser.add_argument("--key", action="append", default=[], help="a public key to believe (--file only)")
        parser.add_argument("--seal", type=kept_seal, metavar="NUMBER:HASH", help="a seal that has to be in the chain")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = self._check(options)
        except (OSError, ImproperlyConfigured, trail_file.UnreadableFile) as problem:
            self._give_up(str(problem))
        if options["json"]:
            self.stdout.write(json.dumps(report.as_data(), indent=2))
        else:
            self.stdout.write("\n".join(escape_controls(line) for line in describe_report(report)))
        if not report.is_sound:
            sys.exit(NOT_SOUND)
        if report.warnings:
            sys.exit(WARNED)

    def _check(self, options: dict[str, Any]) -> Report:
        if not options["file"]:
            return verify.run(now=timezone.now(), kept=options["seal"])
        try:
            named = [signatures.parse_public_key(key) for key in options["key"]]
        except ValueError:
            self._give_up("--key takes a public key. It begins with samsaas-public-.")
        keys = {key.id: key for key in named} or signatures.known_keys()
        if not keys:
            self._give_up(NO_KEYS)
        with options["file"].open("rb") as lines:
            return trail_file.check(lines, keys, options["seal"])

    def _give_up(self, why: str) -> NoReturn:
        self.stderr.write(f"Cannot be checked: {escape_controls(why)}")
        sys.exit(CANNOT)


def kept_seal(text: str) -> tuple[int, str]:
    """Number and hash of a seal, for argparse. Raises ValueError."""
    number, _, digest = text.partition(":")
    if len(digest) != 64:  # noqa: PLR2004 - a SHA-256
        raise ValueError(text)
    return int(number), digest.lower()
