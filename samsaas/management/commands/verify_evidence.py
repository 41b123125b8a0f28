"""`manage.py verify_evidence FILE`: what an evidence file proves. It needs no database and no network.

1. Check that the file is whole and unchanged, and signed by the key it names.
2. Check that this key is one to believe: that of --key, or else a key of this installation.
3. Print in sentences what the file says. The exit code: 0 proven, 1 refused, 2 cannot be read, 3 whole, but the key is
   not known here.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand

from samsaas.lib import evidence_file, signatures
from samsaas.lib.evidence_file import Evidence
from samsaas.lib.log_lines import escape_controls

REFUSED, CANNOT, UNKNOWN_KEY = 1, 2, 3
WHOLE = "The file is whole: none of its {count} parts was changed, added or taken out since it was signed."
PROVEN = "It was signed with the key {key}, {whose}."
NOT_KNOWN = (
    "It was signed with the key {key}, which is not known here. Anybody can make a key and sign with it. Compare it "
    "with the public key that samsaas shows, or name that one with --key:\n  {public}"
)
LIMITS = (
    "It proves that samsaas recorded this and that nobody changed the file afterwards. It does not prove what the "
    "vendor did, and who holds the signing key could have signed something else."
)


class Command(BaseCommand):
    help = "Check an evidence file offline, and say what it proves."
    requires_system_checks: list[str] = []  # it is used where nothing else is set up

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--key", default="", help="the public key that has to have signed it")

    def handle(self, *args: Any, **options: Any) -> None:
        expected = self._read_key(options["key"])
        try:
            evidence = evidence_file.check(read_file(options["file"]))
        except OSError as problem:
            self._end(CANNOT, f"Cannot be read: {problem}")
        except evidence_file.EvidenceRefused as problem:
            self._end(REFUSED, f"Refused: {problem}")
        if expected and expected != evidence.key:
            self._end(REFUSED, f"Refused: it was signed with the key {evidence.key.id}, not with {expected.id}.")
        known = expected or evidence.key.id in self._known_keys()
        self._tell(
            evidence, "which is the one you named" if expected else "a key of this installation" if known else ""
        )
        if not known:
            sys.exit(UNKNOWN_KEY)

    def _read_key(self, text: str) -> signatures.PublicKey | None:
        try:
            return signatures.parse_public_key(text) if text else None
        except ValueError:
            self._end(CANNOT, "--key takes a public key. It begins with samsaas-public-.")

    def _known_keys(self) -> dict[str, signatures.PublicKey]:
        try:
            return signatures.known_keys()
        except ImproperlyConfigured as problem:
            self._end(CANNOT, str(problem))

    def _tell(self, evidence: Evidence, whose: str) -> None:
        key = {"key": evidence.key.id, "public": evidence.key.text, "whose": whose}
        lines = [
            f"{evidence.subject}, signed on {evidence.made_at}.",
            WHOLE.format(count=len(evidence.parts)),
            *(PROVEN if whose else NOT_KNOWN).format(**key).split("\n"),
            "It says:",
            *(f"- {sentence}" for sentence in evidence.says),
            LIMITS,
        ]
        self.stdout.write("\n".join(escape_controls(line) for line in lines))

    def _end(self, code: int, why: str) -> NoReturn:
        self.stderr.write(escape_controls(why))
        sys.exit(code)


def read_file(path: Path) -> bytes:
    """The bytes of the file, and one more than may be checked at most. Raises OSError."""
    with path.open("rb") as file:
        return file.read(evidence_file.LARGEST_FILE + 1)
