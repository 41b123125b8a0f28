"""Every encrypted column of every model, looked at as ciphertext: for the doctor, and for changing keys."""

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

    def rows(self) -> models.QuerySet[Any]:
        """Rows that hold a secret, with their ciphertext as `stored`: the cast keeps the field from decrypting it."""
        stored = Cast(self.field, models.TextField())
        return self.model._base_manager.annotate(stored=stored).exclude(stored="").exclude(stored=None)

    def values(self) -> Iterator[tuple[Any, str]]:
        """(primary key, ciphertext) of every stored secret, read in batches by key."""
        rows = self.rows().order_by("pk").values_list("pk", "stored")
        batch = list(rows[:BATCH])
        while batch:
            yield from batch
            batch = list(rows.filter(pk__gt=batch[-1][0])[:BATCH])

    def value(self, pk: Any) -> str:
        """The ciphertext of one row as it is now; empty when the row or its secret is gone."""
        return self.rows().filter(pk=pk).values_list("stored", flat=True).first() or ""

    def replace(self, pk: Any, old: str, new: str) -> bool:
        """Store `new` only where `old` still is, so that a token refreshed meanwhile is never overwritten."""
        ciphertext = models.Value(new, output_field=models.TextField())
        return bool(self.rows().filter(pk=pk, stored=old).update(**{self.field: ciphertext}))


@dataclass
class Tally:
    """How the secrets of one column are encrypted. `lost` holds the primary keys of those that no key opens."""

    column: Column
    current: int = 0
    older: int = 0
    lost: list[Any] = field(default_factory=list)


def columns() -> list[Column]:
    """The encrypted columns of all installed models."""
    return [
        Column(model, field.attname)
        for model in apps.get_models()
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.concrete_fields
        if isinstance(field, fields.EncryptedTextField) and field.model is model
    ]


def inspect(column: Column) -> Tally:
    """Try to open every secret of a column; none is kept or shown."""
    return _tally(column, lambda pk, stored: _is_older(stored))


def rotate(column: Column) -> Tally:
    """Put every secret of a column under the first key; may be repeated, and interrupted at any moment.

    `older` counts those that were re-encrypted here.
    """
    return _tally(column, lambda pk, stored: _rotate_one(column, pk, stored))


def forget_lost(tally: Tally) -> None:
    """Empty the secrets that no key opens. One that was stored anew meanwhile stays."""
    for pk in tally.lost:
        stored = tally.column.value(pk)
        try:
            fields.decrypt(stored)
        except fields.UndecryptableValue:
            tally.column.replace(pk, stored, "")


def _tally(column: Column, was_older: Callable[[Any, str], bool]) -> Tally:
    tally = Tally(column)
    for pk, stored in column.values():
        try:
            older = was_older(pk, stored)
        except fields.UndecryptableValue:
            tally.lost.append(pk)
        else:
            tally.older += older
            tally.current += not older
    return tally


def _is_older(stored: str) -> bool:
    """Whether it takes another key than the first to open this ciphertext. Raises `UndecryptableValue`."""
    fields.decrypt(stored)
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(stored.removeprefix(fields.PREFIX).encode())
    except InvalidToken:
        return True
    return False


def _rotate_one(column: Column, pk: Any, stored: str) -> bool:
    """True when re-encrypted here, False when already under the first key or gone. Raises `UndecryptableValue`."""
    while stored and _is_older(stored):
        if column.replace(pk, stored, fields.encrypt(fields.decrypt(stored))):
            return True
        stored = column.value(pk)  # somebody stored another one meanwhile
    return False
