"""Delete old entries of the audit trail, and name them in a seal, so that verifying goes on from there.

1. Seal what is due, and verify the trail. On a problem, refuse: a purge must not delete the evidence of a change.
2. In one transaction, delete the sealed entries before the moment, and the seals that have no entry any more.
3. The seal of the purge names the numbers that went, and the last seal that went. An entry says who did it.

Entries that are not sealed yet stay until the next purge.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Min, QuerySet

from samsaas import audit
from samsaas.lib import append_only, signatures
from samsaas.models import AuditEntry, AuditSeal
from samsaas.sealing import late, seal, seals, verify

Figures = dict[str, Any]


class PurgeRefused(Exception):
    """Nothing was deleted. The message says why, and what to do."""


def find_figures(old: QuerySet[AuditEntry]) -> Figures:
    """How many entries these are, and from when to when."""
    return old.order_by().aggregate(entries=Count("pk"), oldest=Min("at"), newest=Max("at"))


def run(before: datetime, *, now: datetime, done_by: dict[str, str], despite_problems: bool = False) -> Figures:
    """Delete the sealed entries with a time before `before`; returns how many went. Raises `PurgeRefused`."""
    key = _require_key()
    seal.run_to_the_end(now=now)
    report = verify.run(now=now)
    problem = report.problems[0].text if report.problems else ""
    if problem and not despite_problems:
        raise PurgeRefused(f"The audit trail is not as it was sealed, so nothing was deleted. {problem}")
    try:
        with transaction.atomic():
            return _delete_and_seal(before, key, now=now, detail=done_by | ({"problem": problem} if problem else {}))
    except IntegrityError as error:
        raise PurgeRefused("Another process sealed at the same moment, so nothing was deleted. Try again.") from error


def _require_key() -> signatures.SigningKey:
    try:
        return signatures.signing_key()
    except signatures.NoKey as error:
        text = "A purge is sealed, and AUDIT_SIGNING_KEY is not set. Make one with manage.py new_audit_key."
        raise PurgeRefused(text) from error


def _delete_and_seal(before: datetime, key: signatures.SigningKey, *, now: datetime, detail: Figures) -> Figures:
    last = seals.last_seal()
    if last is None:
        return find_figures(AuditEntry.objects.none())
    waiting = late.find(last, now=now)
    old = AuditEntry.objects.filter(at__lt=before, pk__lte=last.until_pk).exclude(pk__in=waiting)
    figures = find_figures(old)
    if not figures["entries"]:
        return figures
    said = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in figures.items()}
    said = {"before": before.isoformat(), **said, **detail}
    ids = ",".join(_purged_ranges(before, last.until_pk, set(waiting)))
    base = _find_base(before, ids, last)
    made = seals.make(last, key, now=now, digests={}, purged={**said, "ids": ids, "base": base})
    with (
        append_only.allow_deleting(audit.TABLE, before=before),
        append_only.allow_deleting(audit.SEALS, before=before),
    ):
        old.delete()
        AuditSeal.objects.filter(number__lte=base["number"] if base else 0).delete()
    made.save(force_insert=True)
    audit.record(None, "purged audit trail", None, **said)
    return figures


def _purged_ranges(before: datetime, until: int, waiting: set[int]) -> Iterator[str]:
    """The numbers that go, as ranges. A range ends only at an entry that stays, not at a number that never was."""
    first = end = None
    numbers = AuditEntry.objects.filter(pk__lte=until).order_by("pk").values_list("pk", "at")
    for number, at in numbers.iterator(chunk_size=5000):
        if at < before and number not in waiting:
            first, end = first if first is not None else number, number
        elif first is not None:
            yield f"{first}-{end}"
            first = None
    if first is not None:
        yield f"{first}-{end}"


def _find_base(before: datetime, ids: str, last: AuditSeal) -> dict[str, Any] | None:
    """The last of the first seals that have no entry left. Those go too, and the chain begins after it."""
    purged = seals.Purged()
    for earlier in AuditSeal.objects.filter(purged__isnull=False):
        purged.add((earlier.purged or {})["ids"])
    purged.add(ids)
    base = _base_of_earlier_purge()
    for one in AuditSeal.objects.filter(number__lt=last.number).order_by("number").iterator(chunk_size=20):
        if one.at >= before or not all(number in purged for number in seals.read_digests(one)):
            break
        base = {"number": one.number, "hash": one.hash, "until_pk": one.until_pk}
    return base


def _base_of_earlier_purge() -> dict[str, Any] | None:
    """Where the chain begins now. A later purge has to say it again, since the seal of the earlier one may go."""
    earlier = AuditSeal.objects.filter(purged__isnull=False).order_by("-number").first()
    return earlier.purged["base"] if earlier and earlier.purged else None
