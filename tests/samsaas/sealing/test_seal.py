"""Sealing: what is old enough goes into one chain, whoever seals, and whatever the clocks say."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from samsaas import audit, schedule
from samsaas.lib import append_only
from samsaas.models import AuditEntry, AuditSeal
from samsaas.sealing import entries, late, seal, seals
from tests import factories
from tests.samsaas.sealing.sealed_world import first_problem, seal_in_steps, tamper, verified, write_entries

pytestmark = pytest.mark.django_db


def test_entries_are_sealed_five_minutes_after_they_were_written() -> None:
    now = timezone.now()
    write_entries(3, at=now - timedelta(minutes=6))
    fresh = factories.audit_entry(at=now - timedelta(minutes=4, seconds=50))
    schedule.seal_audit()
    made = AuditSeal.objects.get()
    assert made.count == 3 and made.until_pk == fresh.pk - 1
    assert seal.run(now=now + timedelta(seconds=5)) == 0, "nothing more is due"
    assert seal.run(now=now + timedelta(seconds=11)) == 1
    assert AuditSeal.objects.get(number=2).until_pk == fresh.pk


def test_each_seal_names_the_one_before_and_a_long_trail_takes_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "ENTRIES_PER_SEAL", 4)
    write_entries(10)
    seal.run_to_the_end(now=timezone.now())
    chain = list(AuditSeal.objects.order_by("number"))
    assert [(one.number, one.count) for one in chain] == [(1, 4), (2, 4), (3, 2)]
    assert [one.previous for one in chain] == ["", chain[0].hash, chain[1].hash]
    report = verified()
    assert report.is_sound and report.sealed == 10 and report.warnings == []


def test_a_quiet_day_is_sealed_too_so_that_a_cut_end_is_noticed() -> None:
    seal_in_steps(1)
    now = timezone.now()
    assert seal.run(now=now + timedelta(hours=23)) == 0
    assert seal.run(now=now + timedelta(hours=24, minutes=1)) == 1
    assert AuditSeal.objects.get(number=2).count == 0


def test_without_a_key_nothing_is_sealed_and_the_trail_says_so(settings: Any) -> None:
    settings.AUDIT_SIGNING_KEY = ""
    write_entries(2)
    schedule.seal_audit()
    assert not AuditSeal.objects.exists()
    assert "Nothing is sealed, because AUDIT_SIGNING_KEY is not set" in " ".join(verified().warnings)


@pytest.mark.parametrize("hours", [-30, -1, 1, 24 * 365 * 70], ids=["days back", "back", "ahead", "far future"])
def test_a_clock_that_jumps_neither_stops_the_chain_nor_breaks_it(hours: int) -> None:
    seal_in_steps(2)
    odd = factories.audit_entry(at=timezone.now() + timedelta(hours=hours))
    write_entries(2)
    assert seal.run(now=timezone.now()) == 1
    assert AuditSeal.objects.get(number=2).until_pk > odd.pk
    report = verified()
    assert report.is_sound and report.sealed == 5


def test_a_seal_of_a_clock_that_was_set_back_is_a_warning_and_no_problem() -> None:
    write_entries(1)
    seal.run(now=timezone.now() + timedelta(hours=2))
    write_entries(1)
    seal.run(now=timezone.now())
    report = verified()
    assert report.is_sound and "seal 1: a clock was set back" in report.warnings[0]


def test_the_database_refuses_to_change_or_delete_a_seal() -> None:
    seal_in_steps(1)
    made = AuditSeal.objects.get()
    for attack in (
        lambda: AuditSeal.objects.update(signature=""),
        lambda: AuditSeal.objects.all().delete(),
        lambda: super(AuditSeal, made).save(),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            attack()
    with pytest.raises(TypeError):
        made.delete()
    with pytest.raises(TypeError):
        made.save()


def test_migrate_protects_the_seals_again() -> None:
    tamper("SELECT 1")
    assert append_only.find_problems(audit.SEALS)
    call_command("migrate", verbosity=0)
    assert append_only.find_problems(audit.SEALS) == []


def test_two_workers_that_seal_at_once_make_one_chain() -> None:
    write_entries(3)
    key, now = seal.signatures.signing_key(), timezone.now()
    first = seal._next_seal(None, key, now=now, look_for_late=True)
    second = seal._next_seal(None, key, now=now, look_for_late=True)
    assert first and second and seal._store(first) and not seal._store(second)
    assert verified().is_sound and AuditSeal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_make_one_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "ENTRIES_PER_SEAL", 5)
    write_entries(60)

    def work() -> None:
        try:
            for _ in range(6):
                seal.run(now=timezone.now())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seal.run_to_the_end(now=timezone.now())
    report = verified()
    assert report.is_sound and report.sealed == 60 and report.seals == AuditSeal.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_an_entry_of_a_long_transaction_is_sealed_late_and_one_slipped_in_is_not() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: nothing is late")
    began, go_on = threading.Event(), threading.Event()
    numbers: list[int] = []

    def long_transaction() -> None:
        try:
            with transaction.atomic():
                numbers.extend(write_entries(1))
                began.set()
                go_on.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=long_transaction)
    thread.start()
    began.wait(10)
    later = write_entries(2)
    seal.run(now=timezone.now())
    assert AuditSeal.objects.get().until_pk == later[-1] > numbers[0]
    go_on.set()
    thread.join()
    report = verified()
    assert report.is_sound and report.unsealed == 1 and f"Entry {numbers[0]} was committed late" in report.warnings[0]
    seal.run(now=timezone.now())
    assert AuditSeal.objects.get(number=2).late_ids == numbers
    report = verified()
    assert report.is_sound and report.late == 1 and report.sealed == 3 and not report.warnings

    with connection.cursor() as cursor:  # a gap in the numbers, as a transaction that was rolled back leaves it
        cursor.execute("SELECT nextval(pg_get_serial_sequence('samsaas_auditentry', 'id'))")
        gap = cursor.fetchone()[0]
    write_entries(1)
    seal.run(now=timezone.now())
    AuditEntry.objects.bulk_create([AuditEntry(pk=gap, at=timezone.now() - timedelta(minutes=10), verb="slipped in")])
    assert late.find(seals.last_seal(), now=timezone.now()) == []
    assert seal.run(now=timezone.now()) == 0
    assert first_problem(verified()) == f"Entry {gap} was inserted: seal 3 does not have it."


def test_a_number_of_any_spelling_has_one_form() -> None:
    same = ["1e16", "10000000000000000", "1E+16", "10000000000000000.0"]
    assert {entries.encode_form(entries.parse_json(text)) for text in same} == {b"10000000000000000"}
    assert entries.encode_form(entries.parse_json('{"b": -0.0, "a": 1e-7}')) == b'{"a":1e-07,"b":0}'
    assert entries.encode_form(entries.parse_json("1e300")) == b"1" + b"0" * 300


# The digest of this entry on every database, in every zone and release. If it changes, no sealed trail verifies.
FIXED = "4b800751d6bc0f5fc745a7cf96be371dc0c0d47c9ce5ed89a08bea4bcc0d76d6"


def test_the_form_of_an_entry_does_not_depend_on_database_zone_or_order(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Kathmandu"
    entry = factories.audit_entry(
        at=datetime(2026, 3, 29, 1, 30, 0, 5, tzinfo=UTC),
        actor_id=7,
        actor_name="Zoë ",
        verb="changed",
        object_name="e\u0301 \U0001f512",
        detail={"z": [1.0, 1e16, 0.1, -0.0, 1e300, None, True], "a": {"ü": "\u2028", "": 2**60}},
    )
    with timezone.override("America/St_Johns"):
        ((number, form),) = entries.read_range(None, None)
    assert number == entry.pk and form["at"] == "2026-03-29T01:30:00.000005+00:00"
    assert entries.digest_form(form) == FIXED


@pytest.mark.parametrize("detail", ["{", "[1e999999999]", '{"a": NaN}', "", "[" * 100_000])
def test_an_entry_that_cannot_be_read_has_a_form_of_its_own(detail: str) -> None:
    values = (b"2026-01-01 00:00:00", None, b"ann", b"did", b"", b"", b"", detail.encode())
    assert list(entries.form_of(values)) == ["unreadable"]
    assert entries.digest_form(entries.form_of(values)) != entries.digest_form(entries.form_of((*values[:-1], b"{}")))
