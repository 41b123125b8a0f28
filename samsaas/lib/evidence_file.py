"""Signed evidence in one file: a ZIP of JSON parts, a manifest with their SHA-256, and an Ed25519 signature over it.

The same parts give the same bytes: order, times and modes are fixed, and nothing is compressed. `check` therefore makes
the file again from what it read and compares it with what it was given, so nothing can be hidden between the parts.

Whoever has nothing of ours checks it with OpenSSL (`public_key.pem` is the key the file claims; compare it with yours):

    openssl pkeyutl -verify -pubin -inkey public_key.pem -rawin -in manifest.json -sigfile manifest.sig
    sha256sum *.json
"""

from __future__ import annotations

import io
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from samsaas.lib.signatures import SIGNATURE_BYTES, PublicKey, SigningKey, parse_public_key

FORMAT = "samsaas evidence 1"
MANIFEST, SIGNATURE, PUBLIC_KEY = "manifest.json", "manifest.sig", "public_key.pem"
PART_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}\.json")
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can hold
LARGEST_FILE = 64 * 2**20
MOST_PARTS = 100
END = struct.Struct("<4s4H2LH")  # the end of a ZIP's directory
END_MARK = b"PK\x05\x06"
LARGEST_DIRECTORY = 200 * (MOST_PARTS + 3)
SURROGATES = re.compile("[\ud800-\udfff]")
UNIX, PLAIN_FILE = 3, 0o100644 << 16


class EvidenceRefused(Exception):
    """The file proves nothing. The message says what is wrong with it."""


@dataclass(frozen=True)
class Evidence:
    """What a checked file holds. `key` is the one that signed it, and nothing here says whose that is."""

    subject: str
    made_at: str
    says: list[str]
    key: PublicKey
    parts: dict[str, Any]


def write(parts: Mapping[str, Any], key: SigningKey, *, subject: str, says: list[str], now: datetime) -> bytes:
    """The file. `parts` are JSON values by name, such as `candidate.json`; `says` sums them up in sentences.

    Moments, days and decimals become text. Raises ValueError for a name that is none, TypeError for other values.
    """
    if wrong := [name for name in parts if not PART_NAME.fullmatch(name) or name == MANIFEST]:
        raise ValueError(f"not the name of a part: {wrong[0]!r}")
    encoded = {name: encode_json(parts[name]) for name in sorted(parts)}
    manifest = {
        "format": FORMAT,
        "subject": subject,
        "made_at": now,
        "says": says,
        "key_id": key.public.id,
        "public_key": key.public.text,
        "parts": [_describe_part(name, raw) for name, raw in encoded.items()],
    }
    signed = encode_json(manifest)
    return _pack({MANIFEST: signed, SIGNATURE: key.sign(signed), PUBLIC_KEY: key.public.pem, **encoded})


def encode_json(value: Any) -> bytes:
    """JSON in UTF-8 for people and programs, with sorted keys."""
    text = json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return text.encode() + b"\n"


def _plain(value: Any) -> Any:
    """The value as JSON can hold it, and every JSON reader takes it. Raises TypeError for what has no such form."""
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("keys have to be text")
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str):
        return SURROGATES.sub("\ufffd", value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _describe_part(name: str, raw: bytes) -> dict[str, Any]:
    return {"name": name, "size": len(raw), "sha256": sha256(raw).hexdigest()}


def _pack(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_STORED) as archive:
        for name, raw in members.items():
            info = ZipInfo(name, FIRST_DAY)
            info.create_system, info.external_attr = UNIX, PLAIN_FILE
            archive.writestr(info, raw)
    return file.getvalue()


def check(given: bytes) -> Evidence:
    """What the file says, if it is whole and signed by the key it names. Whether to believe that key is for the caller.

    Raises `EvidenceRefused` for anything that is extra, missing or altered.
    """
    members = _unpack(given)
    manifest = _read_manifest(members)
    key = _check_signature(members, manifest)
    parts = {name: raw for name, raw in members.items() if name not in (MANIFEST, SIGNATURE, PUBLIC_KEY)}
    if manifest["parts"] != [_describe_part(name, raw) for name, raw in sorted(parts.items())]:
        raise EvidenceRefused("A part of the file was changed, added or taken out.")
    ordered = {name: members[name] for name in (MANIFEST, SIGNATURE, PUBLIC_KEY, *sorted(parts))}
    if key.pem != members[PUBLIC_KEY] or _pack(ordered) != given:
        raise EvidenceRefused("The file holds something besides its parts, or is not in the form samsaas gives it.")
    read = {name: _load(raw) for name, raw in parts.items()}
    return Evidence(manifest["subject"], manifest["made_at"], manifest["says"], key, read)


def _unpack(given: bytes) -> dict[str, bytes]:
    """The members by name. Nothing is unpacked that would be larger than the file itself."""
    if len(given) > LARGEST_FILE:
        raise EvidenceRefused(f"The file is larger than {LARGEST_FILE // 2**20} MB.")
    if len(given) < END.size:
        raise EvidenceRefused("This is no evidence file.")
    mark, *_, count, size, _, comment = END.unpack(given[-END.size :])
    if mark != END_MARK or comment or count > MOST_PARTS + 3 or size > LARGEST_DIRECTORY:
        raise EvidenceRefused("This is no evidence file, or something was appended to it.")
    try:
        with ZipFile(io.BytesIO(given)) as archive:
            infos = archive.infolist()
            _check_directory(infos, len(given))
            return {info.filename: archive.read(info) for info in infos}
    except (BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError, struct.error) as error:
        raise EvidenceRefused("The file is damaged.") from error


def _check_directory(infos: list[ZipInfo], length: int) -> None:
    names = [info.filename for info in infos]
    if len(set(names)) != len(names):
        raise EvidenceRefused("The file has a part twice.")
    if wrong := [name for name in names if name not in (SIGNATURE, PUBLIC_KEY) and not PART_NAME.fullmatch(name)]:
        raise EvidenceRefused(f"The file has a part that does not belong there: {wrong[0][:80]!r}.")
    if any(info.compress_type != ZIP_STORED for info in infos) or sum(info.file_size for info in infos) > length:
        raise EvidenceRefused("The file has compressed or overlapping parts, which no evidence file has.")
    if missing := {MANIFEST, SIGNATURE, PUBLIC_KEY} - set(names):
        raise EvidenceRefused(f"The file has no {min(missing)}.")


def _read_manifest(members: dict[str, bytes]) -> dict[str, Any]:
    manifest = _load(members[MANIFEST])
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise EvidenceRefused(f"The file is not of the kind “{FORMAT}”.")
    says = manifest.get("says")
    texts = [manifest.get(name) for name in ("subject", "made_at", "key_id", "public_key")]
    if not isinstance(says, list) or not all(isinstance(text, str) for text in [*texts, *says]):
        raise EvidenceRefused("The manifest cannot be read.")
    if not isinstance(manifest.get("parts"), list):
        raise EvidenceRefused("The manifest names no parts.")
    return manifest


def _check_signature(members: dict[str, bytes], manifest: dict[str, Any]) -> PublicKey:
    try:
        key = parse_public_key(manifest["public_key"])
    except ValueError as error:
        raise EvidenceRefused("The manifest names no public key.") from error
    signature = members[SIGNATURE]
    if len(signature) != SIGNATURE_BYTES or not key.verifies(signature, members[MANIFEST]):
        raise EvidenceRefused("The signature is wrong: the manifest was changed, or somebody else signed it.")
    if manifest["key_id"] != key.id:
        raise EvidenceRefused("The manifest names one key, and another one signed it.")
    return key


def _load(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise EvidenceRefused("A part of the file is no JSON.") from error
