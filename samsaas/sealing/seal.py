"""Seal the entries of the audit trail that are older than five minutes.

1. Find the end of the chain, the entries after it, and the late ones before it.
2. Make seals of at most a thousand entries, each with the hash of the one before, and sign them.
3. Store each on its own. Another worker that did the same was first if the database refuses it: stop.
4. Write number and hash into the log. A copy of the log elsewhere is what a chain with its end cut off cannot deny.

All up to the last entry that is old enough is sealed, whatever the time of those before it: a clock that was set back,
or an entry of the future, must not keep the others from being sealed.
"""

from __future__ import annotations

import logging
from datetime import datetime
from itertools import islice

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from samsaas.lib import signatures
from samsaas.models import AuditEntry, AuditSeal
from samsaas.sealing import entries, late, seals

ENTRIES_PER_SEAL = 1000
SEALS_PER_RUN = 100
log = logging.getLogger(__name__)


def run(*, now: datetime) -> int:
    """Seal what is due; returns how many seals were made. Without a key nothing is sealed."""
    if not settings.AUDIT_SIGNING_KEY:
        return 0
    key = signatures.signing_key()
    last = seals.last_seal()
    for made in range(SEALS_PER_RUN):
        seal = _next_seal(last, key, now=now, look_for_late=made == 0)
        if seal is None or not _store(seal):
            return made
        last = seal
    return SEALS_PER_RUN


def run_to_the_end(*, now: datetime) -> None:
    """As `run`, until nothing is due any more."""
    while run(now=now) == SEALS_PER_RUN:
        pass


def _next_seal(
    last: AuditSeal | None, key: signatures.SigningKey, *, now: datetime, look_for_late: bool
) -> AuditSeal | None:
    """The next seal, if there is something to seal, or if the last one is a day old."""
    after = last.until_pk if last else None
    found = list(islice(entries.read_range(after, _find_end(after, now)), ENTRIES_PER_SEAL))
    late_ids = late.find(last, now=now) if look_for_late else []
    found = [*entries.read_numbers(late_ids), *found]
    if not found and (last is None or now - last.at < seals.EMPTY_AFTER):
        return None
    digests = {pk: entries.digest_form(form) for pk, form in found}
    until = max((pk for pk in digests if pk not in set(late_ids)), default=after or 0)
    return seals.make(last, key, now=now, digests=digests, until_pk=until, late_ids=late_ids)


def _find_end(after: int | None, now: datetime) -> int:
    """The number of the last entry that is old enough."""
    old = AuditEntry.objects.filter(at__lte=now - seals.SEALED_AFTER)
    newer = old.filter(pk__gt=after) if after is not None else old
    end: int | None = newer.aggregate(end=Max("pk"))["end"]
    return end if end is not None else after or 0


def _store(seal: AuditSeal) -> bool:
    """Append the seal. False if another worker has appended one after the same seal."""
    try:
        with transaction.atomic():
            seal.save(force_insert=True)
    except IntegrityError:
        return False
    log.info("Audit trail sealed: seal %s, %s entries, hash %s", seal.number, seal.count, seal.hash)
    return True
