"""The ciphertext in an encrypted column: read without decrypting it, and replaced while others write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models.functions import Cast

from samsaas.lib import encryption, fields

BATCH = 500


@dataclass(frozen=True)
class Column:
    """An encrypted field of a model."""

    model: type[models.Model]
    field: str

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.field}"

    def decrypt(self, pk: Any, stored: str) -> str:
        """The secret of one row. Raises `encryption.UndecryptableValue`."""
        return encryption.decrypt(stored, self._own_field().place(pk))

    def encrypt(self, pk: Any, secret: str) -> str:
        """The ciphertext of a secret under the first key, bound to one row."""
        return encryption.encrypt(secret, self._own_field().place(pk))

    def _own_field(self) -> fields.EncryptedTextField:
        own = self.model._meta.get_field(self.field)
        if not isinstance(own, fields.EncryptedTextField):
            raise TypeError(f"{self} is not encrypted.")
        return own

    def rows_with_secret(self) -> models.QuerySet[Any]:
        """Rows with a secret. `stored` is its ciphertext."""
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


def bind(column: Column) -> int:
    """Bind the secrets of a column that are in the old format to their rows; returns how many were.

    Safe to interrupt, to repeat, and while others write. What no key decrypts stays as it is.
    """
    return sum(_bind_secret(column, pk, stored) for pk, stored in column.iterate_ciphertexts())


def _bind_secret(column: Column, pk: Any, stored: str) -> bool:
    while stored.startswith(encryption.UNBOUND_PREFIX):
        try:
            secret = encryption.decrypt_unbound(stored)
        except encryption.UndecryptableValue:
            return False
        if column.replace_unchanged(pk, stored, column.encrypt(pk, secret)):
            return True
        stored = column.read_ciphertext(pk)  # another process stored a new secret meanwhile
    return False


def any_unreadable(model: type[fields.RowWithSecrets]) -> bool:
    """Whether a row has a secret that this installation cannot decrypt, by its key id. One query; nothing is decrypted.

    Raises `ImproperlyConfigured` without usable keys.
    """
    prefixes, found = encryption.current_prefixes(), models.Q()
    rows = model._base_manager.all()
    for name in model.secret_names():
        rows = rows.annotate(**{f"stored_{name}": Cast(name, models.TextField())})
        known = models.Q(**{f"stored_{name}": ""}) | models.Q(**{f"stored_{name}": None})
        for prefix in prefixes:
            known |= models.Q(**{f"stored_{name}__startswith": prefix})
        found |= ~known
    return rows.filter(found).exists()
