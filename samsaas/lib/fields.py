"""Text columns that are encrypted at rest, with keys that can be rotated.

`FIELD_ENCRYPTION_KEYS` lists Fernet keys: the first encrypts, all decrypt. A value that no key decrypts raises
`UndecryptableValue`; ciphertext is never returned as if it were the secret.
"""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models

PREFIX = "fernet:"


class UndecryptableValue(Exception):
    """None of the configured keys decrypts the stored secret."""


def cipher() -> MultiFernet:
    """The keys of this installation. Raises `ImproperlyConfigured` if there are none or one is not a Fernet key."""
    keys = settings.FIELD_ENCRYPTION_KEYS
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is empty: no secret can be stored or read.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS holds something that is not a Fernet key.") from error


def encrypt(value: str) -> str:
    """The ciphertext with its prefix. Empty text stays empty."""
    return PREFIX + cipher().encrypt(value.encode()).decode() if value else ""


def decrypt(stored: str) -> str:
    """The plain text of a stored value. Raises `UndecryptableValue` if no key decrypts it."""
    if not stored:
        return ""
    if not stored.startswith(PREFIX):
        raise UndecryptableValue("A secret column holds a value that was never encrypted.")
    try:
        return cipher().decrypt(stored.removeprefix(PREFIX).encode()).decode()
    except InvalidToken as error:
        raise UndecryptableValue("None of FIELD_ENCRYPTION_KEYS opens a stored secret.") from error


class EncryptedTextField(models.TextField):
    """An encrypted text column. Queries can only filter it by `isnull`.

    Forms and `dumpdata` leave it out, so that a stored secret is never shown again.
    """

    def get_prep_value(self, value: Any) -> Any:
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{self.name} is encrypted and takes text only, not {type(value).__name__}.")
        return value and encrypt(value)

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        return None if value is None else decrypt(value)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted: it cannot be filtered by {lookup_name}.")
        return super().get_lookup(lookup_name)

    def formfield(self, **kwargs: Any) -> None:
        """No field: a form that sets a secret declares its own field and never fills it in."""

    def value_to_string(self, obj: models.Model) -> str:
        return ""
