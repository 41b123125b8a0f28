"""What was signed of a reconciliation: its text, what the text says, and the signature."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from samsaas.lib.signatures import PublicKey
from subscriptions.models import ReconciliationRun
from subscriptions.reconciliation import sign


@dataclass(frozen=True)
class SignedPosition:
    """The exact text, its content by name, the signature and the id of its key; both empty if nothing was signed."""

    text: str
    content: dict[str, Any]
    signature: str
    key_id: str

    def is_signed_with(self, key: PublicKey) -> bool:
        return sign.is_signed(self.text.encode(), self.signature, key)


def read_run(run: ReconciliationRun) -> SignedPosition | None:
    """What was signed when the reconciliation ended; None if it has no results."""
    document = getattr(run, "document", None)
    if document is None:
        return None
    return SignedPosition(document.text, _parse(document.text) or {}, run.signature, run.key_id)


def read_text(text: str, signature: str, key_id: str) -> SignedPosition | None:
    """The same of a text that came in a file; None if it is no such text."""
    content = _parse(text)
    return SignedPosition(text, content, signature, key_id) if content is not None else None


def _parse(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
