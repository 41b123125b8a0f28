"""`manage.py verify_position`: is a license position as it was signed, and if not, what was changed?

1. With a number such as REC0000012: compare the stored results with what was signed. Without one: all stored ones.
2. With --file: check an exported CSV or workbook, also where there is no database. Where there is one that has the same
   reconciliation, compare it with the file as well.
3. Print what was found, in sentences or with --json. The exit code says it, too: 0 sound, 1 changed, 2 cannot be
   checked, 3 not signed, or with a key that is not known here.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand
from django.db import DatabaseError

from samsaas.lib import signatures
from samsaas.lib.log_lines import escape_controls
from samsaas.lib.signatures import PublicKey
from samsaas.lib.spreadsheets.sheet import Unreadable
from subscriptions.models import ReconciliationRun
from subscriptions.reconciliation.exports import check
from subscriptions.reconciliation.exports.check import CheckedPosition, CheckOutcome

CANNOT = 2
EXIT = {CheckOutcome.SOUND: 0, CheckOutcome.CHANGED: 1, CheckOutcome.UNSIGNED: 3, CheckOutcome.UNKNOWN_KEY: 3}
SAYS = {
    CheckOutcome.SOUND: "{what} is as it was signed with the key {key}.",
    CheckOutcome.CHANGED: "{what} is not as it was signed:",
    CheckOutcome.UNSIGNED: "{what} was never signed: there was no AUDIT_SIGNING_KEY to sign with.",
    CheckOutcome.UNKNOWN_KEY: "{what} is signed with the key {key}, which is not known here. Name it with --key.",
}
SHOWN = 100
NOT_COMPARED = "It was not compared with stored results: this database has no {number}, or cannot be reached."


class Command(BaseCommand):
    help = "Check a stored or exported license position against its signature, and say what was changed."
    requires_system_checks: list[str] = []  # a file is checked where nothing else is set up

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", nargs="?", default="", help="of the reconciliation, such as REC0000012")
        parser.add_argument("--file", type=Path, help="check this exported CSV or workbook")
        parser.add_argument("--key", action="append", default=[], help="a public key to believe")
        parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            keys = self._read_keys(options["key"])
            verdicts = dict(self._check(options, keys))
        except (OSError, ImproperlyConfigured, DatabaseError, Unreadable) as problem:
            self._give_up(str(problem))
        if options["json"]:
            self.stdout.write(json.dumps({what: asdict(one) for what, one in verdicts.items()}, indent=2))
        else:
            for what, one in verdicts.items():
                self._tell(what, one)
        codes = {EXIT[one.outcome] for one in verdicts.values()}
        if worst := next((code for code in (1, 3) if code in codes), 0):
            sys.exit(worst)

    def _read_keys(self, named: list[str]) -> Mapping[str, PublicKey]:
        try:
            keys = [signatures.parse_public_key(text) for text in named]
        except ValueError:
            self._give_up("--key takes a public key. It begins with samsaas-public-.")
        return {key.id: key for key in keys} or signatures.known_keys()

    def _check(self, options: dict[str, Any], keys: Mapping[str, PublicKey]) -> Iterator[tuple[str, CheckedPosition]]:
        if options["file"]:
            yield from self._check_file(options["file"], keys)
            return
        runs = ReconciliationRun.objects.select_related("document").order_by("pk")
        if options["number"]:
            runs = runs.filter(pk=parse_number(options["number"]))
            if not runs:
                self._give_up(f"There is no reconciliation {options['number']}.")
        else:
            runs = runs.exclude(document=None)
        for run in runs.iterator(chunk_size=50):
            yield run.number, check.check_stored(run, keys)

    def _check_file(self, path: Path, keys: Mapping[str, PublicKey]) -> Iterator[tuple[str, CheckedPosition]]:
        with path.open("rb") as file:
            verdict, position = check.check_file(file, keys)
        yield f"{path.name} ({verdict.number})" if verdict.number else path.name, verdict
        if position is None:
            return
        try:
            run = ReconciliationRun.objects.filter(pk=parse_number(verdict.number)).first()
            stored = run and check.list_stored_changes(run, position)
        except DatabaseError:
            run = None
        if run is None:
            self.stderr.write(escape_controls(NOT_COMPARED.format(number=verdict.number)))
            return
        compared = CheckedPosition(run.number, key_id=position.key_id)
        compared.add_changes(stored or [])
        yield f"The stored {run.number}, compared with the file,", compared

    def _tell(self, what: str, verdict: CheckedPosition) -> None:
        lines = [SAYS[verdict.outcome].format(what=what, key=verdict.key_id), *verdict.changes[:SHOWN]]
        if hidden := len(verdict.changes) - SHOWN:
            lines += [f"and {hidden} more."] * (hidden > 0)
        self.stdout.write("\n  ".join(escape_controls(line) for line in lines))

    def _give_up(self, why: str) -> NoReturn:
        self.stderr.write(f"Cannot be checked: {escape_controls(why)}")
        sys.exit(CANNOT)


def parse_number(text: str) -> int:
    """The key of a reconciliation by its number; 0, which none has, for anything else."""
    digits = text.strip().upper().removeprefix("REC")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else 0  # noqa: PLR2004 - a BIGINT
