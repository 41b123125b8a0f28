"""Every encrypted column of every model, looked at as ciphertext: for the doctor, and for changing keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models.functions import Cast

from samsaas.lib import fields

BATCH = 500
TRIES = 5


@dataclass(frozen=True)
class Column:
    """An encrypted field of a model."""

    model: type[models.Model]
    field: str

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.field}"

    def rows(self) -> models.QuerySet[models.Model]:
        """Rows with their ciphertext as `stored`: the cast keeps the field from decrypting it."""
        stored = Cast(self.field, models.TextField())
        return self.model._base_manager.annotate(stored=stored).exclude(stored="").exclude(stored=None)

    def values(self) -> Iterator[tuple[object, str]]:
        """(primary key, ciphertext) of every stored secret, read in batches by key."""
        rows = self.rows().order_by("pk").values_list("pk", "stored")
        batch = list(rows[:BATCH])
        while batch:
            yield from batch
            batch = list(rows.filter(pk__gt=batch[-1][0])[:BATCH])

    def replace(self, pk: object, old: str, new: str) -> bool:
        """Store `new` only where `old` still is, so that a token refreshed meanwhile is never overwritten."""
        ciphertext = models.Value(new, output_field=models.TextField())
        return bool(self.rows().filter(pk=pk, stored=old).update(**{self.field: ciphertext}))


@dataclass
class Tally:
    """What happened to the secrets of one column. `unreadable` holds primary keys, never a value."""

    column: Column
    rotated: int = 0
    current: int = 0
    unreadable: tuple[object, ...] = ()


def columns() -> list[Column]:
    """The encrypted columns of all installed models."""
    return [
        Column(model, field.attname)
        for model in apps.get_models()
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.concrete_fields
        if isinstance(field, fields.EncryptedTextField) and field.model is model
    ]


def under_first_key(stored: str) -> bool:
    """Whether the newest key alone opens this ciphertext."""
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(stored.removeprefix(fields.PREFIX).encode())
    except InvalidToken:
        return False
    return stored.startswith(fields.PREFIX)


def inspect(column: Column) -> Tally:
    """Try to open every secret of a column; none is kept or shown. `rotated` counts those under an older key."""
    tally = Tally(column)
    for pk, stored in column.values():
        try:
            fields.decrypt(stored)
        except fields.UndecryptableValue:
            tally.unreadable += (pk,)
            continue
        if under_first_key(stored):
            tally.current += 1
        else:
            tally.rotated += 1
    return tally


def rotate(column: Column) -> Tally:
    """Put every secret of a column under the first key; may be repeated, and interrupted at any moment."""
    tally = Tally(column)
    for pk, stored in column.values():
        try:
            if _rotate_one(column, pk, stored):
                tally.rotated += 1
            else:
                tally.current += 1
        except fields.UndecryptableValue:
            tally.unreadable += (pk,)
    return tally


def _rotate_one(column: Column, pk: object, stored: str) -> bool:
    """True when re-encrypted here, False when already under the first key or gone. Raises `UndecryptableValue`."""
    for _ in range(TRIES):
        if under_first_key(stored):
            return False
        fields.decrypt(stored)
        if column.replace(pk, stored, fields.rotate(stored)):
            return True
        newer = column.rows().filter(pk=pk).values_list("stored", flat=True).first()
        if newer is None:
            return False
        stored = newer
    raise fields.UndecryptableValue(f"{column} of {pk} changes faster than it can be read.")
