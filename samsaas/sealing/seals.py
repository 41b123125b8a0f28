"""What a seal of the audit trail says, its hash and its signature.

The hash is the SHA-256 of everything the seal says, with the hash of the seal before. The signature is over the hash.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from samsaas.lib.signatures import PublicKey, SigningKey
from samsaas.models import AuditSeal
from samsaas.sealing.entries import encode_form

SEALED_AFTER = timedelta(minutes=5)
EMPTY_AFTER = timedelta(hours=24)  # a quiet trail gets a seal without entries, so that a cut end is noticed
SAYS = ("number", "until_pk", "late_ids", "count", "digests", "purged", "previous", "key_id")
PURPOSE = "samsaas audit seal 1"


def make(
    last: AuditSeal | None, key: SigningKey, *, now: datetime, digests: dict[int, str], **fields: Any
) -> AuditSeal:
    """The seal that follows `last`, signed and not yet stored."""
    values = {"until_pk": last.until_pk if last else 0, "late_ids": [], "purged": None, **fields}
    seal = AuditSeal(
        number=last.number + 1 if last else 1,
        at=now,
        count=len(digests),
        digests="\n".join(f"{pk} {digest}" for pk, digest in digests.items()),
        previous=last.hash if last else "",
        key_id=key.public.id,
        **values,
    )
    seal.hash = compute_hash(seal)
    seal.signature = b64encode(key.sign(_message(seal.hash))).decode()
    return seal


def content(seal: AuditSeal) -> dict[str, Any]:
    """Everything a seal says, as plain data. Raises ValueError or TypeError if it is damaged."""
    at = seal.at.astimezone(UTC).isoformat(timespec="microseconds")
    return {"at": at, **{name: getattr(seal, name) for name in SAYS}}


def compute_hash(seal: AuditSeal) -> str:
    """Raises ValueError or TypeError if the seal is damaged so that it cannot be read."""
    return sha256(PURPOSE.encode() + b"\n" + encode_form(content(seal))).hexdigest()


def has_good_signature(seal: AuditSeal, key: PublicKey) -> bool:
    try:
        signature = b64decode(seal.signature, validate=True)
    except ValueError:
        return False
    # One text for one signature: Base64 leaves some bits of its last letter open.
    return b64encode(signature).decode() == seal.signature and key.verifies(signature, _message(seal.hash))


def is_genuine(seal: AuditSeal, key: PublicKey) -> bool:
    """Whether the seal says what its signer signed."""
    try:
        return compute_hash(seal) == seal.hash and has_good_signature(seal, key)
    except (ValueError, TypeError, AttributeError):
        return False


def _message(digest: str) -> bytes:
    return f"{PURPOSE} {digest}".encode("ascii", "backslashreplace")


def read_digests(seal: AuditSeal) -> dict[int, str]:
    """The digests of the sealed entries by number. Raises ValueError if they are damaged."""
    pairs = [line.split(" ") for line in seal.digests.split("\n")] if seal.digests else []
    return {int(number): digest for number, digest in pairs}


def read_late(seal: AuditSeal) -> set[int]:
    """The numbers of the late entries that the seal has."""
    return numbers_in(seal.late_ids)


def numbers_in(late_ids: Any) -> set[int]:
    """The whole numbers in a list that came from the database. What is none is left out: the seal was changed then."""
    return {number for number in late_ids if isinstance(number, int)} if isinstance(late_ids, list) else set()


def last_seal() -> AuditSeal | None:
    """The end of the chain."""
    return AuditSeal.objects.order_by("-number").first()


class Purged:
    """The numbers of entries that purges deleted, as their seals name them: `1-500,503`."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []

    def add(self, text: str) -> None:
        """Raises ValueError if the text is damaged."""
        for part in text.split(",") if text else []:
            first, _, last = part.partition("-")
            self._ranges.append((int(first), int(last or first)))
        merged: list[tuple[int, int]] = []
        for start, end in sorted(self._ranges):
            if merged and start <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        self._ranges = merged

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._ranges, (number, float("inf"))) - 1
        return place >= 0 and self._ranges[place][0] <= number <= self._ranges[place][1]
