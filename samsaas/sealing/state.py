"""How far the audit trail is sealed, for its page and for the doctor. Only verifying tells whether it was changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured

from samsaas.lib import signatures
from samsaas.models import AuditEntry, AuditSeal
from samsaas.sealing import seals
from samsaas.sealing.check import OVERDUE

MOST_COUNTED = 10_000


@dataclass(frozen=True)
class ChainState:
    """The last seal, the newer entries (counted up to a limit), and the key that signs.

    `problem` is why nothing is sealed as it should be, or nothing.
    """

    last: AuditSeal | None
    unsealed: int
    public_key: signatures.PublicKey | None
    problem: str = ""

    @property
    def to_keep(self) -> str:
        """Number and hash of the last seal, as `verify_audit --seal` takes them."""
        return f"{self.last.number}:{self.last.hash}" if self.last else ""

    @property
    def many(self) -> bool:
        """Whether there are more than were counted."""
        return self.unsealed == MOST_COUNTED


def describe_chain(*, now: datetime) -> ChainState:
    """The chain as it is now, at the same cost for a long trail as for a short one."""
    last = seals.last_seal()
    newer = AuditEntry.objects.filter(pk__gt=last.until_pk if last else 0)
    unsealed = newer.order_by()[:MOST_COUNTED].count()
    try:
        key = signatures.signing_key().public
    except ImproperlyConfigured as problem:
        return ChainState(last, unsealed, None, str(problem))
    oldest = newer.order_by("pk").values_list("at", flat=True).first()
    return ChainState(last, unsealed, key, _describe_delay(last, oldest, now))


def _describe_delay(last: AuditSeal | None, oldest: datetime | None, now: datetime) -> str:
    """Why the seals are not where they should be by now: worker and beat, most likely."""
    if oldest and now - oldest > OVERDUE:
        return "Entries have been waiting for a seal for too long. Check worker and beat, then verify the trail."
    if last and now - last.at > seals.EMPTY_AFTER + OVERDUE:
        return "The last seal is more than a day old. Check worker and beat, then verify the trail."
    return ""
