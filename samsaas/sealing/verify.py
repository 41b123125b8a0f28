"""Verify the audit trail of the database: every seal, and every entry against its seal.

1. Fix the end of the chain; what is sealed meanwhile is left to the next time.
2. Walk the seals in the order of the chain, with the entries of their ranges, a thousand at a time.
3. Name the entries that no seal has although it should, and count those that are too new to be sealed.
4. If a purge deleted entries meanwhile, do all of it once more.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError
from django.db.models import QuerySet

from samsaas.lib import signatures
from samsaas.models import AuditSeal
from samsaas.sealing import entries, late, seals
from samsaas.sealing.check import Checker, Report
from samsaas.sealing.entries import Form

SEALS_AT_ONCE = 20
NO_SEALS = "Nothing is sealed, because AUDIT_SIGNING_KEY is not set: see docs/operating.md."
UNREADABLE = "The database cannot read the audit trail any more: {}."
Progress = Callable[[int], None]


def run(*, now: datetime, progress: Progress | None = None, kept: tuple[int, str] | None = None) -> Report:
    """What is wrong with the trail. Raises `ImproperlyConfigured` where a key of the settings cannot be used.

    `progress` is called with the number of entries looked at, again and again. `kept` are number and hash of a seal
    that has to be in the chain.
    """
    before = _last_purge()
    report = _verify_once(now, progress, kept)
    if not report.is_sound and before != _last_purge():
        report = _verify_once(now, progress, kept)
    return report


def _last_purge() -> int | None:
    return _purges().values_list("number", flat=True).last()


def _verify_once(now: datetime, progress: Progress | None, kept: tuple[int, str] | None) -> Report:
    checker = Checker(signatures.known_keys(), _purges(), kept)
    try:
        waiting = _check_all(checker, now, progress)
        newer = ((number, str(form.get("at", ""))) for number, form in entries.read_range(checker.until_pk, None))
        checker.check_unsealed(newer, late=waiting, now=now)
    except (DatabaseError, ValueError, TypeError, AttributeError) as error:
        checker.report.add_problem(UNREADABLE.format(error))
    if not checker.report.seals and not settings.AUDIT_SIGNING_KEY:
        checker.report.add_warning(NO_SEALS)
    return checker.report


def _purges() -> QuerySet[AuditSeal]:
    return AuditSeal.objects.filter(purged__isnull=False).order_by("number")


def _check_all(checker: Checker, now: datetime, progress: Progress | None) -> list[int]:
    """Check every seal there is now. Returns the late entries that wait for the next seal."""
    last = seals.last_seal()
    waiting = late.find(last, now=now)
    elsewhere = sealed_late() | set(waiting)
    after: int | None = None
    for seal in iterate_seals(last):
        if after is None:
            first_until = checker.until_pk
            _name_strays(checker, entries.read_range(None, first_until), elsewhere)
            after = first_until
        checker.check(seal, read_entries(seal, after, elsewhere))
        after = max(after, seal.until_pk)
        if progress:
            progress(checker.report.sealed)
    return waiting


def iterate_seals(last: AuditSeal | None) -> Iterator[AuditSeal]:
    """The seals up to `last` in the order of the chain, and also those that should not be there."""
    known = AuditSeal.objects.filter(number__lte=last.number) if last else AuditSeal.objects.none()
    places = list(known.order_by("number", "pk").values_list("pk", flat=True))
    for start in range(0, len(places), SEALS_AT_ONCE):
        some = places[start : start + SEALS_AT_ONCE]
        found = AuditSeal.objects.in_bulk(some)
        yield from (found[pk] for pk in some if pk in found)


def read_entries(seal: AuditSeal, after: int | None, elsewhere: set[int]) -> Iterator[tuple[int, Form]]:
    """The entries of a seal's range, from `after` on, and its late ones, in the order of their numbers.

    Those that are `elsewhere`, because another seal has them as late ones or the next one will, are left out.
    """
    own_late = seals.read_late(seal)
    in_range = entries.read_range(after, seal.until_pk)
    others = ((number, form) for number, form in in_range if number not in elsewhere or number in own_late)
    below = entries.read_numbers(number for number in own_late if after is not None and number <= after)
    return heapq.merge(below, others, key=lambda entry: entry[0])


def sealed_late() -> set[int]:
    """The numbers of all late entries that seals have."""
    return set().union(*(seals.read_late(seal) for seal in AuditSeal.objects.exclude(late_ids=[]).only("late_ids")))


def _name_strays(checker: Checker, found: Iterator[tuple[int, Form]], elsewhere: set[int]) -> None:
    for number, _ in found:
        if number not in elsewhere:
            checker.report.add_problem(f"Entry {number} was inserted: no seal has it.", entry=number)
