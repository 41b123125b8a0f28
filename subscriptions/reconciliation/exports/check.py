"""Check a position against its signature, in a file or in the database, and say what was changed.

1. Who signed it, and is that a key to believe?
2. Is the signed text as it was signed?
3. Does the file, or do the stored results, say what the signed text says? Every difference is named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from samsaas.lib.signatures import PublicKey
from subscriptions.models import ReconciliationRun
from subscriptions.reconciliation import sign
from subscriptions.reconciliation.exports import compare, read_file, signed_position, signed_text
from subscriptions.reconciliation.exports.read_file import Unreadable
from subscriptions.reconciliation.exports.signed_position import SignedPosition

NO_TEXT = "The signed content of the file was changed or is missing, so it proves nothing."
TEXT_CHANGED = "The signed content, or the signature itself, is not as it was signed."
NOT_A_POSITION = "The signed content is not that of a position."
NO_RESULTS = "It has no results, so nothing was signed."


class CheckOutcome(StrEnum):
    SOUND = "sound"
    CHANGED = "changed"
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown key"


@dataclass
class CheckedPosition:
    """What was found of one position. `number` is empty if the file does not say it reliably."""

    number: str
    outcome: CheckOutcome = CheckOutcome.SOUND
    key_id: str = ""
    changes: list[str] = field(default_factory=list)

    def add_changes(self, changes: list[str]) -> None:
        """Differences are worse than a signature that cannot be checked."""
        self.changes += changes
        if self.changes:
            self.outcome = CheckOutcome.CHANGED


def check_file(file: BinaryIO, keys: Mapping[str, PublicKey]) -> tuple[CheckedPosition, SignedPosition | None]:
    """The verdict on an exported file, and what was signed of it. Raises `Unreadable`."""
    found = read_file.run(file)
    try:
        text = signed_text.join(found.pieces)
    except signed_text.NoText:
        return CheckedPosition("", CheckOutcome.CHANGED, found.key_id, [NO_TEXT]), None
    position = signed_position.read_text(text, found.signature, found.key_id)
    if position is None:
        return CheckedPosition("", CheckOutcome.CHANGED, found.key_id, [NO_TEXT]), None
    verdict = _check_signature(position, keys)
    try:
        verdict.add_changes(list(compare.compare_file(found, position)))
    except (KeyError, TypeError, ValueError, AttributeError):  # a text of somebody else's making
        raise Unreadable(NOT_A_POSITION) from None
    return verdict, position


def check_stored(run: ReconciliationRun, keys: Mapping[str, PublicKey]) -> CheckedPosition:
    """The verdict on a stored reconciliation."""
    position = signed_position.read_run(run)
    if position is None:
        return CheckedPosition(run.number, CheckOutcome.UNSIGNED, changes=[NO_RESULTS])
    verdict = _check_signature(position, keys)
    verdict.number = run.number
    verdict.add_changes(list_stored_changes(run, position))
    return verdict


def list_stored_changes(run: ReconciliationRun, position: SignedPosition) -> list[str]:
    """Where the stored results differ from what was signed."""
    try:
        return list(compare.compare_stored(position.content, json.loads(sign.as_document(run))))
    except (KeyError, TypeError, AttributeError):
        return [NOT_A_POSITION]


def _check_signature(position: SignedPosition, keys: Mapping[str, PublicKey]) -> CheckedPosition:
    verdict = CheckedPosition(str(position.content.get("number", "")), key_id=position.key_id)
    if not position.signature:
        verdict.outcome = CheckOutcome.UNSIGNED
    elif position.key_id not in keys:
        verdict.outcome = CheckOutcome.UNKNOWN_KEY
    elif not position.is_signed_with(keys[position.key_id]):
        verdict.add_changes([TEXT_CHANGED])
    return verdict
