"""A purge is sealed: it names what it deleted, and verifying goes on from there."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from samsaas.models import AuditEntry, AuditSeal
from samsaas.sealing import purge, seal
from samsaas.sealing.seals import Purged
from tests.samsaas.sealing.sealed_world import ENTRIES, SEALS, first_problem, tamper, verified, write_entries

pytestmark = pytest.mark.django_db


def write_days(*days: int) -> list[list[int]]:
    """Two entries for each of these days ago, each day sealed the day after."""
    made = []
    for ago in days:
        at = timezone.now() - timedelta(days=ago)
        made.append(write_entries(2, at=at))
        seal.run(now=at + timedelta(minutes=10))
    return made


def purge_before(days: int, **options: Any) -> purge.Figures:
    now = timezone.now()
    return purge.run(now - timedelta(days=days), now=now, done_by={"run_by": "ann at desk"}, **options)


def test_after_a_purge_the_rest_is_verified_from_there() -> None:
    days = write_days(400, 300, 200, 10)
    assert purge_before(250)["entries"] == 4
    report = verified()
    assert report.is_sound and report.sealed == 4 and not report.warnings
    made = AuditSeal.objects.get(purged__isnull=False)
    assert made.purged["ids"] == f"{days[0][0]}-{days[1][1]}" and made.purged["run_by"] == "ann at desk"
    assert made.purged["base"]["number"] == 2 and not AuditSeal.objects.filter(number__lte=2).exists()
    assert AuditEntry.objects.get(verb="purged audit trail").detail["entries"] == 4


def test_one_purge_after_the_other_leaves_a_trail_that_verifies() -> None:
    write_days(400, 300, 200, 100, 50, 10)
    for before in (350, 350, 250, 60, 20):
        purge_before(before)
        seal.run(now=timezone.now() + timedelta(minutes=10))
        assert verified().is_sound, before
    assert AuditEntry.objects.filter(verb="changed profile").count() == 2


def test_a_seal_of_which_only_some_entries_went_still_guards_the_others() -> None:
    old, new = (write_entries(2, at=timezone.now() - timedelta(days=ago)) for ago in (100, 10))
    older = write_entries(1, at=timezone.now() - timedelta(days=90))
    seal.run(now=timezone.now())
    assert purge_before(50)["entries"] == 3
    made = AuditSeal.objects.get(purged__isnull=False)
    assert made.purged["ids"] == f"{old[0]}-{old[1]},{older[0]}-{older[0]}" and made.purged["base"] is None
    report = verified()
    assert report.is_sound and (report.sealed, report.purged) == (2, 3)
    tamper(f"UPDATE {ENTRIES} SET verb = 'x' WHERE id = %s", new[0])
    assert f"Entry {new[0]} was changed" in first_problem(verified())


def test_an_entry_that_no_purge_named_is_still_missed() -> None:
    days = write_days(400, 300, 10)
    purge_before(350)
    tamper(f"DELETE FROM {ENTRIES} WHERE id = %s", days[1][0])
    assert first_problem(verified()) == f"Entry {days[1][0]} is missing: seal 2 has it."


def test_an_entry_put_back_after_a_purge_is_named() -> None:
    days = write_days(400, 300, 10)
    purge_before(350)
    AuditEntry.objects.bulk_create([AuditEntry(pk=days[0][0], at=timezone.now(), verb="was never here")])
    assert first_problem(verified()) == f"Entry {days[0][0]} was inserted: no seal has it."


def test_a_made_up_purge_hides_nothing() -> None:
    days = write_days(400, 300, 10)
    tamper(f"DELETE FROM {ENTRIES} WHERE id = %s", days[1][0])
    tamper(f"UPDATE {SEALS} SET purged = %s WHERE number = 3", f'{{"ids": "1-{days[1][0]}", "base": null}}')
    assert "Seal 3 was changed" in first_problem(verified())


def test_a_deleted_seal_of_a_purge_is_missed() -> None:
    write_days(400, 300, 10)
    purge_before(350)
    write_entries(1)
    seal.run(now=timezone.now())
    tamper(f"DELETE FROM {SEALS} WHERE purged IS NOT NULL")
    assert first_problem(verified()) == "Seal 1 is missing."


def test_a_trail_that_was_changed_is_not_purged_unless_somebody_insists() -> None:
    days = write_days(400, 300, 10)
    tamper(f"UPDATE {ENTRIES} SET verb = 'x' WHERE id = %s", days[0][0])
    with pytest.raises(purge.PurgeRefused, match=f"Entry {days[0][0]} was changed"):
        purge_before(350)
    assert AuditEntry.objects.count() == 6
    assert purge_before(350, despite_problems=True)["entries"] == 2
    assert f"Entry {days[0][0]} was changed" in AuditSeal.objects.get(purged__isnull=False).purged["problem"]
    assert verified().is_sound


def test_without_a_key_nothing_is_purged(settings: Any) -> None:
    write_days(400)
    settings.AUDIT_SIGNING_KEY = ""
    with pytest.raises(CommandError, match="new_audit_key"):
        call_command("purge_audit", "--before", "2026-01-01", "--yes", stdout=io.StringIO())


def test_a_purge_and_a_seal_at_the_same_moment_do_not_fork_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    write_days(400, 10)
    find_base = purge._find_base

    def seal_meanwhile(before: datetime, *rest: Any) -> Any:
        write_entries(1)
        assert seal.run(now=timezone.now()) == 1
        return find_base(before, *rest)

    monkeypatch.setattr(purge, "_find_base", seal_meanwhile)
    with pytest.raises(purge.PurgeRefused, match="Try again"):
        purge_before(350)
    assert AuditEntry.objects.filter(verb="changed profile").count() >= 4 and verified().is_sound


def test_ranges_of_numbers_are_read_as_they_are_written() -> None:
    purged = Purged()
    for text in ("7-9,12-12", "1-3", "", "9-10"):
        purged.add(text)
    assert [number for number in range(15) if number in purged] == [1, 2, 3, 7, 8, 9, 10, 12]
    for wrong in ("x", "1-x", ",", "-"):
        with pytest.raises(ValueError):
            purged.add(wrong)
