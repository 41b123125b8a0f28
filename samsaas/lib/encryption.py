"""Encryption of secrets at rest, bound to the place where each is stored, with keys that can be rotated.

`FIELD_ENCRYPTION_KEYS` lists keys as `manage.py new_field_key` prints them: the first encrypts, all decrypt. A stored
secret is `aesgcm:<key id>:<Base64 of nonce, ciphertext and tag>` (AES-256-GCM, NIST SP 800-38D). Its associated data
are the key id and its place: table, column and primary key. So a ciphertext that was changed, or copied to another
row, column or table, is refused.

Releases before this one wrote `fernet:<token>`, which opens anywhere. `decrypt_unbound` reads those; only the migration
and `manage.py rotate_field_keys --bind-unbound` call it.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PREFIX = "aesgcm:"
UNBOUND_PREFIX = "fernet:"
NONCE_BYTES = 12
KEY_ID_BYTES = 6


class UndecryptableValue(Exception):
    """A stored secret cannot be decrypted: its key is missing, or it is not what was stored in this place."""


class UnboundValue(UndecryptableValue):
    """The stored secret is in the old format, which is not bound to its place."""


@dataclass(frozen=True)
class Place:
    """Where a secret is stored. `pk` must be known: it is part of what the encryption protects."""

    table: str
    column: str
    pk: Any

    def associated_data(self, key_id: str) -> bytes:
        """The place and the key id, written so that no two places give the same bytes."""
        return json.dumps([PREFIX, key_id, self.table, self.column, str(self.pk)]).encode()


@dataclass(frozen=True)
class Key:
    """One key of the installation. `id` is stored with every ciphertext, and says nothing about the key."""

    id: str
    cipher: AESGCM = field(repr=False)


def installation_keys() -> tuple[Key, ...]:
    """The keys of this installation. Raises `ImproperlyConfigured` if there are none or one cannot be used."""
    if not settings.FIELD_ENCRYPTION_KEYS:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is empty: no secret can be stored or read.")
    return _derive_keys(tuple(settings.FIELD_ENCRYPTION_KEYS))


@lru_cache(maxsize=8)
def _derive_keys(texts: tuple[str, ...]) -> tuple[Key, ...]:
    try:
        for text in texts:
            Fernet(text)
    except ValueError as error:
        problem = "FIELD_ENCRYPTION_KEYS holds something that manage.py new_field_key did not make."
        raise ImproperlyConfigured(problem) from error
    return tuple(
        Key(_derive(text, b"samsaas key id", KEY_ID_BYTES).hex(), AESGCM(_derive(text, b"samsaas secrets at rest", 32)))
        for text in texts
    )


def _derive(text: str, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=purpose).derive(urlsafe_b64decode(text))


def current_prefixes() -> list[str]:
    """How the ciphertexts begin that this installation can decrypt, those of the first key first."""
    return [f"{PREFIX}{key.id}:" for key in installation_keys()]


def encrypt(value: str, place: Place) -> str:
    """The ciphertext under the first key, for this place only. Empty text stays empty."""
    if not value:
        return ""
    key, nonce = installation_keys()[0], secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + key.cipher.encrypt(nonce, value.encode(), place.associated_data(key.id))
    return f"{PREFIX}{key.id}:{urlsafe_b64encode(sealed).decode()}"


def decrypt(stored: str, place: Place) -> str:
    """The plain text of what is stored in a place. Raises `UndecryptableValue` whatever is wrong with it."""
    if not stored:
        return ""
    if stored.startswith(UNBOUND_PREFIX):
        raise UnboundValue("A stored secret is in the old format, which is not bound to its row.")
    if not stored.startswith(PREFIX):
        raise UndecryptableValue("A secret column holds a value that was never encrypted.")
    key_id, _, encoded = stored.removeprefix(PREFIX).partition(":")
    keys = [key for key in installation_keys() if key.id == key_id]
    if not keys:
        raise UndecryptableValue("None of FIELD_ENCRYPTION_KEYS is the key of a stored secret.")
    try:
        sealed = urlsafe_b64decode(encoded.encode())
        if urlsafe_b64encode(sealed).decode() != encoded:
            raise ValueError("Base64 has several texts for the same bytes; only the one that was stored is accepted.")
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return keys[0].cipher.decrypt(nonce, rest, place.associated_data(key_id)).decode()
    except (InvalidTag, ValueError) as error:
        raise UndecryptableValue("A stored secret was changed, or belongs to another row or column.") from error


def decrypt_unbound(stored: str) -> str:
    """The plain text of a value in the old format. Raises `UndecryptableValue` if no key decrypts it."""
    installation_keys()
    try:
        token = stored.removeprefix(UNBOUND_PREFIX).encode()
        return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS]).decrypt(token).decode()
    except InvalidToken as error:
        raise UndecryptableValue("None of FIELD_ENCRYPTION_KEYS opens a stored secret.") from error
