"""Attacks on a sealed trail by somebody who owns the database: each is noticed, and the first bad row is named."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from samsaas.lib import signatures
from samsaas.models import AuditEntry, AuditSeal
from samsaas.sealing import seal, seals, verify
from tests.samsaas.sealing.sealed_world import (
    ENTRIES,
    SEALS,
    copies,
    first_problem,
    new_key,
    seal_in_steps,
    tamper,
    verified,
    write_entries,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed(db: None) -> list[list[int]]:
    """Three seals of three entries each; the numbers of each."""
    return seal_in_steps(3, 3, 3)


def test_an_untouched_trail_is_sound(sealed: Any) -> None:
    write_entries(2, at=timezone.now() - timedelta(minutes=1))
    report = verified()
    assert report.is_sound and not report.warnings
    assert (report.sealed, report.seals, report.unsealed) == (9, 3, 2)
    assert report.last_seal and report.last_seal["hash"] == AuditSeal.objects.get(number=3).hash


CHANGES = {
    "at": "2026-01-01 00:00:00.000001+00",
    "actor_id": 99,
    "actor_name": "bob",
    "verb": "changed profilf",
    "object_type": "integration Profile",
    "object_id": "1",
    "object_name": "Profile 1 ",
    "detail": '{"after": {"name": "M1"}, "before": {"name": "Mu\u0308ller"}}',
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_change_of_any_column_names_the_entry(sealed: list[list[int]], column: str) -> None:
    number = sealed[1][1]
    tamper(f"UPDATE {ENTRIES} SET {column} = %s WHERE id = %s", CHANGES[column], number)
    report = verified()
    assert first_problem(report) == f"Entry {number} was changed: it is not as seal 2 has it."
    assert report.problem_count == 1 and report.problems[0].entry == number and report.sealed == 8


def flipped(text: str) -> list[str]:
    """The text with one bit changed, at each of its letters."""
    return [text[:place] + chr(ord(letter) ^ 1) + text[place + 1 :] for place, letter in enumerate(text)]


def test_one_bit_changed_anywhere_in_a_seal_is_noticed(sealed: Any) -> None:
    original = AuditSeal.objects.get(number=2)
    texts = {"digests": 40, "previous": 7, "hash": 7, "key_id": 3, "signature": 5}
    tried = 0
    for column, step in texts.items():
        for wrong in flipped(getattr(original, column))[::step]:
            damaged = AuditSeal.objects.get(number=2)
            setattr(damaged, column, wrong)
            key = signatures.known_keys().get(damaged.key_id)
            assert (
                seals.compute_hash(damaged) != damaged.hash or not key or not seals.has_good_signature(damaged, key)
            ), (column, wrong)
            tried += 1
    assert tried > 40
    for column, value in {"number": 7, "until_pk": 1, "count": 4, "late_ids": [1], "purged": {"ids": ""}}.items():
        damaged = AuditSeal.objects.get(number=2)
        setattr(damaged, column, value)
        assert seals.compute_hash(damaged) != damaged.hash, column


@pytest.mark.parametrize(
    ("change", "values"),
    [
        ("at = %s", ["2026-01-01 00:00:00+00"]),
        ("count = count + 1", []),
        ("until_pk = until_pk + 1", []),
        ("until_pk = until_pk - 1", []),
        ("digests = digests || %s", ["\n7 abc"]),
        ("digests = ''", []),
        ("digests = 'nonsense'", []),
        ("late_ids = %s", ["[1]"]),
        ("late_ids = %s", ['{"a": "b"}']),
        ("late_ids = %s", ['["1", null]']),
        ("purged = %s", ['{"ids": "1-9", "base": null}']),
        ("purged = %s", ['{"ids": "x"}']),
        ("purged = %s", ["[]"]),
        ("hash = %s", ["0" * 64]),
        ("previous = %s", ["0" * 64]),
        ("key_id = 'x'", []),
        ("signature = 'AAAA'", []),
        ("signature = 'é'", []),
        ("number = 4", []),
        ("number = 0", []),
    ],
)
def test_a_seal_that_was_changed_is_named(sealed: Any, change: str, values: list[Any]) -> None:
    tamper(f"UPDATE {SEALS} SET {change} WHERE number = 3", *values)
    report = verified()
    assert not report.is_sound and any(problem.seal in (0, 3, 4) for problem in report.problems)


def test_a_deleted_entry_is_named(sealed: list[list[int]]) -> None:
    tamper(f"DELETE FROM {ENTRIES} WHERE id IN (%s, %s)", sealed[2][0], sealed[1][2])
    report = verified()
    assert [problem.entry for problem in report.problems] == [sealed[1][2], sealed[2][0]]
    assert first_problem(report) == f"Entry {sealed[1][2]} is missing: seal 2 has it."


def test_an_inserted_entry_is_named_wherever_it_is(sealed: list[list[int]]) -> None:
    gap = write_entries(1)[0]
    tamper(f"DELETE FROM {ENTRIES} WHERE id = %s", gap)
    write_entries(1)
    seal.run(now=timezone.now())
    assert verified().is_sound
    old = timezone.now() - timedelta(minutes=8)
    AuditEntry.objects.bulk_create([AuditEntry(pk=number, at=old, verb="signed in") for number in (gap, -4, 0)])
    seal.run(now=timezone.now())
    report = verified()
    assert [problem.entry for problem in report.problems] == [-4, 0, gap]
    assert first_problem(report) == "Entry -4 was inserted: no seal has it."
    assert report.problems[2].text == f"Entry {gap} was inserted: seal 4 does not have it."


def test_two_entries_that_changed_places_are_told_from_changed_ones(sealed: list[list[int]]) -> None:
    first, second = sealed[0][0], sealed[0][2]
    for number, into in ((first, -1), (second, first), (-1, second)):
        tamper(f"UPDATE {ENTRIES} SET id = %s WHERE id = %s", into, number)
    report = verified()
    assert first_problem(report) == f"Entry {first} holds what was sealed as entry {second}: " + (
        "entries were reordered or copied."
    )
    assert report.problem_count == 2


def swap(column: str) -> Callable[[], None]:
    def attack() -> None:
        one, other = (getattr(AuditSeal.objects.get(number=number), column) for number in (2, 3))
        for number, value in ((2, "-1"), (3, one), (2, other)):
            tamper(f"UPDATE {SEALS} SET {column} = %s WHERE number = %s", value, number)

    return attack


def swap_numbers() -> None:
    for number, into in ((2, 99), (3, 2), (99, 3)):
        tamper(f"UPDATE {SEALS} SET number = %s WHERE number = %s", into, number)


@pytest.mark.parametrize(
    "attack", [swap("hash"), swap("signature"), swap("previous"), swap("digests"), swap_numbers], ids=str
)
def test_two_seals_that_changed_places_are_noticed(sealed: Any, attack: Callable[[], None]) -> None:
    attack()
    report = verified()
    assert report.problems[0].seal == 2


@pytest.mark.parametrize("number", [1, 2])
def test_a_deleted_seal_is_missed(sealed: Any, number: int) -> None:
    tamper(f"DELETE FROM {SEALS} WHERE number = %s", number)
    assert first_problem(verified()) == f"Seal {number} is missing."


def rewrite_with(key_text: str) -> None:
    """Delete the seals and seal everything again with another key, as if it had always been so."""
    tamper(f"DELETE FROM {SEALS}")
    key, last = signatures.parse_signing_key(key_text), None
    for _ in range(3):
        made = seal._next_seal(last, key, now=timezone.now(), look_for_late=False)
        if made is None:
            return
        made.save(force_insert=True)
        last = made


def test_a_chain_rewritten_with_a_foreign_key_pair_is_refused(sealed: list[list[int]]) -> None:
    tamper(f"UPDATE {ENTRIES} SET verb = 'nothing' WHERE id = %s", sealed[0][0])
    foreign = new_key()
    rewrite_with(foreign)
    key_id = signatures.parse_signing_key(foreign).public.id
    assert first_problem(verified()) == f"Seal 1 is signed with the key {key_id}, which is not one of yours."


def test_a_foreign_signature_under_your_key_id_is_wrong(sealed: Any) -> None:
    made = AuditSeal.objects.get(number=3)
    foreign = signatures.parse_signing_key(new_key())
    signature = seals.b64encode(foreign.sign(seals._message(made.hash))).decode()
    tamper(f"UPDATE {SEALS} SET signature = %s WHERE number = 3", signature)
    assert first_problem(verified()) == "Seal 3 was changed: its signature is wrong."


def test_seals_of_the_old_key_stay_verifiable_while_its_public_key_is_listed(sealed: Any, settings: Any) -> None:
    old = signatures.signing_key().public
    settings.AUDIT_SIGNING_KEY = new_key()
    write_entries(1)
    seal.run(now=timezone.now())
    assert first_problem(verified()).startswith(f"Seal 1 is signed with the key {old.id}")
    settings.AUDIT_PUBLIC_KEYS = [old.text]
    report = verified()
    assert report.is_sound and report.seals == 4


def test_an_end_that_was_cut_off_shows_against_a_seal_kept_elsewhere(sealed: list[list[int]]) -> None:
    kept = AuditSeal.objects.get(number=3)
    tamper(f"DELETE FROM {SEALS} WHERE number = 3")
    tamper(f"DELETE FROM {ENTRIES} WHERE id >= %s", sealed[2][0])
    assert verified().is_sound, "the chain itself cannot show it"
    write_entries(3)
    seal.run(now=timezone.now())
    assert "Seal 3 is not the one you kept" in first_problem(verified(kept=(3, kept.hash)))
    assert verified(kept=(2, AuditSeal.objects.get(number=2).hash)).is_sound


def test_a_restored_old_backup_is_a_warning_by_age_and_a_problem_by_your_copy(sealed: Any) -> None:
    backup = {model: copies(model)[:3] for model in (AuditEntry, AuditSeal)}
    backup[AuditSeal] = backup[AuditSeal][:1]
    kept = AuditSeal.objects.get(number=2)
    for model, rows in backup.items():
        tamper(f"DELETE FROM {model._meta.db_table}")
        model.objects.bulk_create(rows)
    report = verify.run(now=timezone.now() + timedelta(days=2))
    assert report.is_sound and "an old backup" in report.warnings[0]
    assert not verified(kept=(2, kept.hash)).is_sound


def test_old_entries_that_no_seal_has_are_a_warning(sealed: Any) -> None:
    tamper(f"DELETE FROM {SEALS} WHERE number = 3")
    report = verify.run(now=timezone.now() + timedelta(minutes=30))
    assert report.is_sound and report.unsealed == 3 and "waiting for a seal since" in report.warnings[0]


def unchecked(switch: str) -> None:
    """Whether this connection to SQLite stores what no column may hold."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA ignore_check_constraints = {switch}")


def test_an_entry_that_cannot_even_be_read_is_named_and_the_others_are_checked(
    sealed: list[list[int]], request: pytest.FixtureRequest
) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL checks what it stores")
    number = sealed[0][1]
    unchecked("ON")
    request.addfinalizer(lambda: unchecked("OFF"))
    for column, value in (("object_name", b"\xff\xfe"), ("detail", "{nonsense"), ("at", "yesterday")):
        tamper(f"UPDATE {ENTRIES} SET {column} = %s WHERE id = %s", value, number)
        report = verified()
        assert first_problem(report) == f"Entry {number} was changed: it is not as seal 1 has it."
        assert report.problem_count == 1 and report.sealed == 8


def test_a_trail_that_is_wrong_throughout_is_told_in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    seal_in_steps(50, 5)
    tamper(f"UPDATE {ENTRIES} SET verb = 'x'")
    report = verified()
    assert report.problem_count == 55 and len(report.problems) == 20


def run_command(*arguments: str) -> tuple[int, str]:
    out, code = io.StringIO(), 0
    try:
        call_command("verify_audit", *arguments, stdout=out, stderr=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    return code, out.getvalue()


def test_the_command_says_it_in_words_in_json_and_by_its_exit_code(sealed: list[list[int]], settings: Any) -> None:
    code, said = run_command()
    digest = AuditSeal.objects.get(number=3).hash
    assert code == 0 and "9 entries in 3 seals: none was changed" in said and f"Last seal: 3:{digest}" in said
    assert run_command("--seal", f"3:{digest}")[0] == 0
    assert run_command("--seal", f"3:{'0' * 64}")[0] == 1
    tamper(f"UPDATE {SEALS} SET signature = '' WHERE number = 3")
    code, said = run_command()
    assert code == 1 and "NOT as it was sealed" in said and "Seal 3 was changed" in said
    code, said = run_command("--json")
    report = json.loads(said)
    assert code == 1 and report["sound"] is False and report["problems"][0]["seal"] == 3
    settings.AUDIT_SIGNING_KEY = "nonsense"
    code, said = run_command()
    assert code == 2 and "AUDIT_SIGNING_KEY" in said and "nonsense" not in said


def test_a_warning_has_an_exit_code_of_its_own(db: None, settings: Any) -> None:
    write_entries(1)
    assert run_command()[0] == 0, "the beat will seal it within a minute"
    settings.AUDIT_SIGNING_KEY = ""
    code, said = run_command()
    assert code == 3 and "Warning: Nothing is sealed, because" in said


def test_new_audit_key_prints_a_usable_key_and_what_to_keep_of_the_old_one() -> None:
    out, kept = io.StringIO(), io.StringIO()
    call_command("new_audit_key", stdout=out, stderr=kept)
    made = signatures.parse_signing_key(out.getvalue().strip())
    assert signatures.signing_key().public.text in kept.getvalue() and made.public.text not in kept.getvalue()


@pytest.mark.parametrize("wrong", ["", "abc", "samsaas-public-" + "A" * 43, "A" * 42 + "=", "A" * 43 + "!", "é" * 43])
def test_a_key_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        signatures.parse_signing_key(wrong)


def test_a_private_key_in_the_place_of_a_public_one_is_refused() -> None:
    with pytest.raises(ValueError):
        signatures.parse_public_key(new_key())
