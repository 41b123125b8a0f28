"""An evidence file is the same bytes for the same facts, and whatever is done to it afterwards is refused."""

from __future__ import annotations

import io
import json
import random
import shutil
import struct
import subprocess
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from samsaas.lib import evidence_file, signatures
from samsaas.lib.evidence_file import EvidenceRefused

pytestmark = pytest.mark.one_database

KEY = signatures.parse_signing_key(urlsafe_b64encode(b"k" * 32).decode())
OTHER = signatures.parse_signing_key(urlsafe_b64encode(b"o" * 32).decode())
NOW = datetime(2026, 11, 26, 21, 30, tzinfo=UTC)
PARTS: dict[str, Any] = {
    "candidate.json": {"name": "Zoë \U0001f512", "at": NOW, "day": date(2026, 1, 2), "price": Decimal("1.50")},
    "attempts.json": [{"state": "closed", "request": None, "tries": 1}],
}
# Of this very file, on every version of Python and every machine.
FIXED = "e3781e8ca4e3a588d3d483d9150536037de226e4114ed4f92d64051d273704d2"


def made(parts: dict[str, Any] | None = None, key: signatures.SigningKey = KEY, **more: Any) -> bytes:
    fields: dict[str, Any] = {"subject": "RC1", "says": ["It was removed."], "now": NOW, **more}
    return evidence_file.write(PARTS if parts is None else parts, key, **fields)


def members(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(content: dict[str, bytes]) -> bytes:
    return evidence_file._pack(content)


def test_the_same_facts_give_the_same_bytes_in_any_order_and_zone() -> None:
    turned = dict(reversed(PARTS.items()))
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert made() == made(turned, now=elsewhere)
    assert sha256(made()).hexdigest() == FIXED
    assert list(members(made())) == [
        *("manifest.json", "manifest.sig", "public_key.pem"),
        *("attempts.json", "candidate.json"),
    ]


def test_a_whole_file_gives_back_what_was_put_in() -> None:
    read = evidence_file.check(made())
    assert read.parts["candidate.json"] == {
        "name": "Zoë \U0001f512",
        "at": "2026-11-26T21:30:00.000000+00:00",
        "day": "2026-01-02",
        "price": "1.50",
    }
    assert read.key == KEY.public and read.says == ["It was removed."] and read.subject == "RC1"


@pytest.mark.parametrize(
    "name", ["../x.json", "/x.json", "a/b.json", "x", "X.json", "manifest.json", "", "x.json\n", "é.json", ".json"]
)
def test_a_name_that_leads_elsewhere_is_no_name_of_a_part(name: str) -> None:
    with pytest.raises(ValueError):
        made({name: 1})


@pytest.mark.parametrize("value", [{1: 2}, {None: 1}, object(), b"x", {1, 2}])
def test_what_json_would_bend_is_refused_at_once(value: Any) -> None:
    with pytest.raises(TypeError):
        made({"x.json": value})


def test_no_number_and_half_a_letter() -> None:
    with pytest.raises(ValueError):
        made({"x.json": float("nan")})
    assert evidence_file.check(made({"x.json": "a\ud800b"})).parts["x.json"] == "a\ufffdb"


def test_one_bit_changed_anywhere_is_refused() -> None:
    whole = made()
    places = range(len(whole))
    for place in places:
        broken = bytearray(whole)
        broken[place] ^= 1 << random.Random(place).randrange(8)
        with pytest.raises(EvidenceRefused):
            evidence_file.check(bytes(broken))


def test_a_file_cut_anywhere_or_with_something_more_is_refused() -> None:
    whole = made()
    for wrong in [whole[:end] for end in range(0, len(whole), 7)] + [whole + b"\0", b"\0" + whole, whole + whole]:
        with pytest.raises(EvidenceRefused):
            evidence_file.check(wrong)


def signed_again(content: dict[str, bytes], key: signatures.SigningKey, **changes: Any) -> dict[str, bytes]:
    """A manifest that fits the content, signed with this key."""
    parts = {name: raw for name, raw in content.items() if name not in evidence_file_fixed()}
    manifest = json.loads(content["manifest.json"])
    manifest["parts"] = [evidence_file._describe_part(name, raw) for name, raw in sorted(parts.items())]
    manifest |= changes
    raw = evidence_file.encode_json(manifest)
    return {"manifest.json": raw, "manifest.sig": key.sign(raw), "public_key.pem": content["public_key.pem"], **parts}


def evidence_file_fixed() -> tuple[str, ...]:
    return evidence_file.MANIFEST, evidence_file.SIGNATURE, evidence_file.PUBLIC_KEY


Members = dict[str, bytes]
ATTACKS: dict[str, Callable[[Members], Members]] = {
    "a part changed": lambda all: {**all, "attempts.json": b"[]\n"},
    "a part added": lambda all: {**all, "more.json": b"{}\n"},
    "a part taken out": lambda all: {name: raw for name, raw in all.items() if name != "attempts.json"},
    "two parts exchanged": lambda all: {
        **all,
        "attempts.json": all["candidate.json"],
        "candidate.json": all["attempts.json"],
    },
    "the manifest made to fit": lambda all: {
        **all,
        "attempts.json": b"[]\n",
        "manifest.json": signed_again({**all, "attempts.json": b"[]\n"}, OTHER)["manifest.json"],
    },
    "signed by another under this key": lambda all: signed_again(all, OTHER),
    "another key named": lambda all: signed_again(all, KEY, public_key=OTHER.public.text),
    "another key id named": lambda all: signed_again(all, KEY, key_id=OTHER.public.id),
    "another key beside it": lambda all: {**all, "public_key.pem": OTHER.public.pem},
    "no signature": lambda all: {**all, "manifest.sig": b""},
    "another order": lambda all: dict(reversed(all.items())),
    "another kind": lambda all: signed_again(all, KEY, format="samsaas evidence 2"),
    "sentences that are none": lambda all: signed_again(all, KEY, says=[1]),
    "no list of parts": lambda all: signed_again(all, KEY, parts={}),
    "a path": lambda all: {**all, "../evil.json": b"{}"},
    "a program": lambda all: {**all, "run.sh": b"rm"},
    "a part that is no JSON": lambda all: signed_again({**all, "attempts.json": b"\xff"}, KEY),
    "a part nested without end": lambda all: signed_again({**all, "attempts.json": b"[" * 100_000}, KEY),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_file_packed_anew_with_something_else_is_refused(attack: str) -> None:
    assert evidence_file.check(packed(members(made())))
    with pytest.raises(EvidenceRefused):
        evidence_file.check(packed(ATTACKS[attack](members(made()))))


def zipped(write: Callable[[zipfile.ZipFile], None], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        write(archive)
    return file.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused() -> None:
    def write(archive: zipfile.ZipFile) -> None:
        for name, raw in [*members(made()).items(), ("attempts.json", b"[]\n")]:
            archive.writestr(name, raw)

    with pytest.raises(EvidenceRefused, match="twice"):
        evidence_file.check(zipped(write))


def test_bombs_are_refused_before_anything_is_unpacked() -> None:
    deflated = zipped(lambda archive: archive.writestr("bomb.json", b"0" * 50_000_000), zipfile.ZIP_DEFLATED)
    many = zipped(lambda archive: [archive.writestr(f"p{number}.json", b"") for number in range(2000)])  # type: ignore[func-returns-value]
    overlapping = bytearray(made())
    place = overlapping.rfind(b"PK\x01\x02")
    struct.pack_into("<2L", overlapping, place + 20, 10_000_000, 10_000_000)
    huge = b"\0" * (evidence_file.LARGEST_FILE + 1)
    for bomb in (deflated, many, bytes(overlapping), huge):
        with pytest.raises(EvidenceRefused):
            evidence_file.check(bomb)


@pytest.mark.parametrize("given", [b"", b"PK", b"PK\x05\x06" + b"\0" * 18, b"{}" * 50, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_evidence_file_is_refused(given: bytes) -> None:
    with pytest.raises(EvidenceRefused):
        evidence_file.check(given)


def test_openssl_alone_verifies_the_file(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    with zipfile.ZipFile(io.BytesIO(made())) as archive:
        archive.extractall(tmp_path)
    command = "openssl pkeyutl -verify -pubin -inkey public_key.pem -rawin -in manifest.json -sigfile manifest.sig"
    said = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0 and "Verified Successfully" in said.stdout
    (tmp_path / "manifest.json").write_bytes(b"{}")
    assert subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False).returncode != 0


def run_command(*arguments: str) -> tuple[int, str]:
    out, code = io.StringIO(), 0
    try:
        call_command("verify_evidence", *arguments, stdout=out, stderr=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    return code, out.getvalue()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "evidence.zip"
    path.write_bytes(made(says=["It was removed.", "By \x1b[31mann\nNothing was wrong."]))
    return path


def test_the_command_proves_it_against_the_key_you_name(saved: Path) -> None:
    code, said = run_command(str(saved), "--key", KEY.public.text)
    assert code == 0 and "none of its 2 parts was changed" in said and "- It was removed." in said
    assert "\x1b" not in said and "\nNothing was wrong" not in said, "a name cannot speak for the command"
    code, said = run_command(str(saved), "--key", OTHER.public.text)
    assert code == 1 and "Refused" in said and "It was removed" not in said


def test_without_a_key_the_command_believes_only_those_of_the_installation(saved: Path, settings: Any) -> None:
    code, said = run_command(str(saved))
    assert code == 3 and "not known here" in said and KEY.public.text in said
    settings.AUDIT_PUBLIC_KEYS = [KEY.public.text]
    code, said = run_command(str(saved))
    assert code == 0 and "a key of this installation" in said


def test_the_command_says_what_is_wrong_with_a_file(saved: Path, tmp_path: Path) -> None:
    assert run_command(str(tmp_path / "nothing.zip"))[0] == 2
    assert run_command(str(saved), "--key", "x")[0] == 2
    saved.write_bytes(saved.read_bytes().replace(b"closed", b"opened"))
    code, said = run_command(str(saved))
    assert code == 1 and "Refused: " in said
