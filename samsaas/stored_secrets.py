"""The secrets in every encrypted column: counted for the doctor, and re-encrypted when keys rotate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps

from samsaas.lib import ciphertexts, encryption, fields
from samsaas.lib.ciphertexts import Column


@dataclass
class Tally:
    """How the secrets of one column are encrypted.

    `lost` lists the primary keys of those that cannot be decrypted, `unbound` of those in the old format.
    """

    column: Column
    current: int = 0
    older: int = 0
    unbound: list[Any] = field(default_factory=list)
    lost: list[Any] = field(default_factory=list)


def encrypted_columns() -> list[Column]:
    """The encrypted columns of all installed models."""
    return [
        Column(model, field.attname)
        for model in apps.get_models()
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.concrete_fields
        if isinstance(field, fields.EncryptedTextField) and field.model is model
    ]


def inspect(column: Column) -> Tally:
    """Try to decrypt every secret of a column, and count the results."""
    return _tally_column(column, lambda pk, stored: _is_older(column, pk, stored))


def rotate(column: Column) -> Tally:
    """Encrypt every secret of a column with the first key. Safe to interrupt and to repeat.

    `older` of the result counts the secrets that were re-encrypted. Secrets in the old format are left alone: whoever
    can write to the database could have put one there, and this would make it look genuine.
    """
    return _tally_column(column, lambda pk, stored: _rotate_secret(column, pk, stored))


def bind(column: Column) -> int:
    """Bind the secrets of a column that are in the old format to their rows; returns how many were."""
    return ciphertexts.bind(column)


def forget_lost(tally: Tally) -> list[Any]:
    """Empty the secrets that cannot be decrypted, and return the primary keys of their rows.

    A secret that somebody stored meanwhile stays.
    """
    return [pk for pk in tally.lost if _forget_secret(tally.column, pk)]


def _forget_secret(column: Column, pk: Any) -> bool:
    stored = column.read_ciphertext(pk)
    try:
        column.decrypt(pk, stored)
    except encryption.UndecryptableValue:
        return not _opens_unbound(stored) and column.replace_unchanged(pk, stored, "")
    return False


def _tally_column(column: Column, was_older: Callable[[Any, str], bool]) -> Tally:
    tally = Tally(column)
    for pk, stored in column.iterate_ciphertexts():
        try:
            older = was_older(pk, stored)
        except encryption.UnboundValue:
            (tally.unbound if _opens_unbound(stored) else tally.lost).append(pk)
        except encryption.UndecryptableValue:
            tally.lost.append(pk)
        else:
            tally.older += older
            tally.current += not older
    return tally


def _opens_unbound(stored: str) -> bool:
    """Whether this is a secret in the old format that a key decrypts."""
    if not stored.startswith(encryption.UNBOUND_PREFIX):
        return False
    try:
        encryption.decrypt_unbound(stored)
    except encryption.UndecryptableValue:
        return False
    return True


def _is_older(column: Column, pk: Any, stored: str) -> bool:
    """Whether this secret is not under the first key. Raises `UndecryptableValue`."""
    column.decrypt(pk, stored)
    return not stored.startswith(encryption.current_prefixes()[0])


def _rotate_secret(column: Column, pk: Any, stored: str) -> bool:
    """Whether the secret was re-encrypted: not if the first key encrypts it already, or if it is gone.

    Raises `UndecryptableValue`.
    """
    while stored and _is_older(column, pk, stored):
        if column.replace_unchanged(pk, stored, column.encrypt(pk, column.decrypt(pk, stored))):
            return True
        stored = column.read_ciphertext(pk)  # another process stored a new secret meanwhile
    return False
