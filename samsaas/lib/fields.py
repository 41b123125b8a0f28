"""Text that is encrypted at rest, with rotatable keys, and that fails closed.

`FIELD_ENCRYPTION_KEYS` lists Fernet keys: the first encrypts, all decrypt. A value that no key opens raises
`UndecryptableValue` instead of handing out ciphertext as if it were the secret.
"""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models

PREFIX = "fernet:"


class UndecryptableValue(Exception):
    """A stored secret that none of the configured keys opens."""


def cipher() -> MultiFernet:
    """The keyring of this installation. Raises `ImproperlyConfigured` without usable keys."""
    keys = settings.FIELD_ENCRYPTION_KEYS
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is empty: no secret can be stored or read.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS holds something that is not a Fernet key.") from error


def encrypt(value: str) -> str:
    """Ciphertext with its prefix; empty stays empty."""
    return PREFIX + cipher().encrypt(value.encode()).decode() if value else ""


def decrypt(stored: str) -> str:
    """The plain text behind a stored value. Raises `UndecryptableValue` for anything that is not ours."""
    if not stored:
        return ""
    if not stored.startswith(PREFIX):
        raise UndecryptableValue("A secret column holds a value that was never encrypted.")
    try:
        return cipher().decrypt(stored.removeprefix(PREFIX).encode()).decode()
    except InvalidToken as error:
        raise UndecryptableValue("None of FIELD_ENCRYPTION_KEYS opens a stored secret.") from error


class EncryptedTextField(models.TextField):
    """A text column whose content only this application can read; it can be looked up by `isnull` only.

    Forms and `dumpdata` leave it out: what is written here is never shown again.
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
        """None: a form that wants to set a secret says so itself, and never fills it in."""

    def value_to_string(self, obj: models.Model) -> str:
        return ""
