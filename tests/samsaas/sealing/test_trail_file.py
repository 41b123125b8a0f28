"""The exported trail is checked without the database, and shows every change of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from samsaas.lib import signatures
from samsaas.models import AuditEntry
from samsaas.sealing import purge, seal, trail_file
from samsaas.sealing.check import Report
from tests import factories
from tests.samsaas.sealing.sealed_world import new_key, seal_in_steps, write_entries
from tests.samsaas.sealing.test_verify import run_command

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(db: None) -> list[bytes]:
    seal_in_steps(3, 2)
    factories.audit_entry(object_name="\u2028 é \U0001f512")
    return list(trail_file.write(now=timezone.now()))


def check(lines: list[bytes]) -> Report:
    return trail_file.check(lines, signatures.known_keys())


def test_a_file_is_checked_without_the_database(
    lines: list[bytes], tmp_path: Path, django_db_blocker: Any, settings: Any
) -> None:
    public = signatures.signing_key().public.text
    path = tmp_path / "trail.jsonl"
    path.write_bytes(b"".join(lines))
    settings.AUDIT_SIGNING_KEY = ""
    with django_db_blocker.block():
        code, said = run_command("--file", str(path), "--key", public)
        assert code == 0 and "5 entries in 2 seals" in said
        assert run_command("--file", str(path))[0] == 2, "no key is believed because the file brings it"
        assert run_command("--file", str(path), f"--key={new_key()}")[0] == 2
        foreign = signatures.parse_signing_key(new_key()).public.text
        assert run_command("--file", str(path), "--key", foreign)[0] == 1
        assert run_command("--file", str(tmp_path / "nothing"), "--key", public)[0] == 2


def edit(line: bytes, **changes: Any) -> bytes:
    return json.dumps({**json.loads(line), **changes}).encode() + b"\n"


ATTACKS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "an entry changed": lambda lines: [*lines[:2], edit(lines[2], verb="x"), *lines[3:]],
    "an unsealed entry changed": lambda lines: [*lines[:-2], edit(lines[-2], verb="x"), lines[-1]],
    "an entry left out": lambda lines: [*lines[:2], *lines[3:]],
    "an entry twice": lambda lines: [*lines[:3], *lines[2:]],
    "two entries exchanged": lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
    "a seal left out": lambda lines: [line for line in lines if b'"number": 2' not in line],
    "the end cut off": lambda lines: lines[:-3],
    "the last line cut off": lambda lines: lines[:-1],
    "a blank": lambda lines: [*lines[:2], b" " + lines[2], *lines[3:]],
    "a word of the first line": lambda lines: [edit(lines[0], at="2026-01-01T00:00:00+00:00"), *lines[1:]],
    "a purge made up": lambda lines: [
        edit(lines[0], purges=[{**json.loads(lines[1]), "purged": {"ids": "1-99", "base": None}}]),
        *lines[1:],
    ],
    "a line of another kind": lambda lines: [*lines[:2], b'{"type": "remark"}\n', *lines[2:]],
    "a last line without a signature": lambda lines: [
        edit(lines[0], at="2026-01-01T00:00:00+00:00"),
        *lines[1:-1],
        edit(lines[-1], signature=""),
    ],
    "another hash": lambda lines: [*lines[:-1], edit(lines[-1], sha256="0" * 64)],
    "another signature": lambda lines: [*lines[:-1], edit(lines[-1], signature="AAAA")],
    "another key": lambda lines: [*lines[:-1], edit(lines[-1], key_id="0123456789abcdef")],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_change_of_a_file_is_noticed(lines: list[bytes], attack: str) -> None:
    assert check(lines).is_sound
    assert not check(ATTACKS[attack](lines)).is_sound


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"\xff\n",
        b'{"type": "trail", "format": "samsaas audit trail 1"}\n',
        b'{"type": "trail", "format": "samsaas audit trail 1", "at": 5, "purges": []}\n',
        b'{"type": "trail", "format": "samsaas audit trail 1", "at": "2026-01-01T00:00:00Z", "purges": [{}]}\n',
        b'{"type": "trail", "format": "samsaas audit trail 2", "at": "2026-01-01T00:00:00Z", "purges": []}\n',
        b"[" * 200_000,
        b'{"a": 1e999999999}',
        b"PK\x03\x04",
    ],
)
def test_what_is_no_trail_is_refused_in_words(given: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(given)
    code, said = run_command("--file", str(path))
    assert code == 2 and "Cannot be checked" in said


def test_something_after_the_end_is_refused(lines: list[bytes]) -> None:
    with pytest.raises(trail_file.UnreadableFile):
        check([*lines, lines[1]])


def test_a_file_after_a_purge_and_without_seals_says_what_it_can(settings: Any) -> None:
    at = timezone.now() - timedelta(days=100)
    write_entries(2, at=at)
    seal.run(now=at + timedelta(minutes=10))
    seal_in_steps(2)
    purge.run(timezone.now() - timedelta(days=50), now=timezone.now(), done_by={})
    report = check(list(trail_file.write(now=timezone.now())))
    assert report.is_sound and report.sealed == 2 and report.warnings == []


def test_a_trail_that_was_never_sealed_can_be_exported_and_says_that_it_is_not_signed(settings: Any) -> None:
    write_entries(2)
    keys = signatures.known_keys()
    settings.AUDIT_SIGNING_KEY = ""
    report = trail_file.check(trail_file.write(now=timezone.now()), keys)
    assert report.is_sound and report.unsealed == 2 and "not signed" in " ".join(report.warnings)


def test_an_entry_with_any_text_comes_back_as_it_is() -> None:
    number = write_entries(1)[0]
    AuditEntry.objects.bulk_create(
        [AuditEntry(at=timezone.now() - timedelta(hours=1), verb="x", detail={"n": [1e16, 0.1, -0.0, 1e300, "\u2028"]})]
    )
    seal.run(now=timezone.now())
    report = check(list(trail_file.write(now=timezone.now())))
    assert report.is_sound and report.sealed == 2 and number
