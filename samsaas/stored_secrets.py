"""The ciphertext in every encrypted column: counted for the doctor, and re-encrypted when keys rotate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models.functions import Cast

from samsaas.lib import fields

BATCH = 500


@dataclass(frozen=True)
class Column:
    """An encrypted field of a model."""

    model: type[models.Model]
    field: str

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.field}"

    def rows_with_secret(self) -> models.QuerySet[Any]:
        """Rows with a secret. `stored` is its ciphertext: the cast keeps the field from decrypting it."""
        stored = Cast(self.field, models.TextField())
        return self.model._base_manager.annotate(stored=stored).exclude(stored="").exclude(stored=None)

    def iterate_ciphertexts(self) -> Iterator[tuple[Any, str]]:
        """Primary key and ciphertext of every stored secret, read in batches."""
        rows = self.rows_with_secret().order_by("pk").values_list("pk", "stored")
        batch = list(rows[:BATCH])
        while batch:
            yield from batch
            batch = list(rows.filter(pk__gt=batch[-1][0])[:BATCH])

    def read_ciphertext(self, pk: Any) -> str:
        """The current ciphertext of one row; empty if the row or its secret is gone."""
        return self.rows_with_secret().filter(pk=pk).values_list("stored", flat=True).first() or ""

    def replace_unchanged(self, pk: Any, old: str, new: str) -> bool:
        """Store `new` if the row still has `old`, so that a newer token is not overwritten. Returns whether it did."""
        ciphertext = models.Value(new, output_field=models.TextField())
        return bool(self.rows_with_secret().filter(pk=pk, stored=old).update(**{self.field: ciphertext}))


@dataclass
class Tally:
    """How the secrets of one column are encrypted. `lost` lists the primary keys of those no key decrypts."""

    column: Column
    current: int = 0
    older: int = 0
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
    return _tally_column(column, lambda pk, stored: _is_older(stored))


def rotate(column: Column) -> Tally:
    """Encrypt every secret of a column with the first key. Safe to interrupt and to repeat.

    `older` of the result counts the secrets that were re-encrypted.
    """
    return _tally_column(column, lambda pk, stored: _rotate_secret(column, pk, stored))


def forget_lost(tally: Tally) -> None:
    """Empty the secrets that no key decrypts. A secret that somebody stored meanwhile stays."""
    for pk in tally.lost:
        stored = tally.column.read_ciphertext(pk)
        try:
            fields.decrypt(stored)
        except fields.UndecryptableValue:
            tally.column.replace_unchanged(pk, stored, "")


def _tally_column(column: Column, was_older: Callable[[Any, str], bool]) -> Tally:
    tally = Tally(column)
    for pk, stored in column.iterate_ciphertexts():
        try:
            older = was_older(pk, stored)
        except fields.UndecryptableValue:
            tally.lost.append(pk)
        else:
            tally.older += older
            tally.current += not older
    return tally


def _is_older(stored: str) -> bool:
    """Whether the first key cannot decrypt this ciphertext, but another can. Raises `UndecryptableValue`."""
    fields.decrypt(stored)
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(stored.removeprefix(fields.PREFIX).encode())
    except InvalidToken:
        return True
    return False


def _rotate_secret(column: Column, pk: Any, stored: str) -> bool:
    """Whether the secret was re-encrypted: not if the first key encrypts it already, or if it is gone.

    Raises `UndecryptableValue`.
    """
    while stored and _is_older(stored):
        if column.replace_unchanged(pk, stored, fields.encrypt(fields.decrypt(stored))):
            return True
        stored = column.read_ciphertext(pk)  # another process stored a new secret meanwhile
    return False
