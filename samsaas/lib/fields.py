"""Text columns that are encrypted at rest. A secret is decrypted only when its attribute is read.

Loading a row decrypts nothing, so lists and pages work when a key is missing, and saving a row writes unread secrets
back as they were. The encryption binds a secret to its row, so a row's primary key has to be known first:
`RowWithSecrets.save` inserts a new row without its secrets and stores them in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldError
from django.db import models, transaction
from django.db.models.query_utils import DeferredAttribute

from samsaas.lib import encryption


@dataclass(frozen=True)
class Ciphertext:
    """A secret as it is stored. `values()` and `values_list()` return this, because they do not know the row."""

    text: str = field(repr=False)

    def __str__(self) -> str:
        return "[encrypted]"


def is_stored_form(value: Any) -> bool:
    """Whether a value can be stored as it is: a ciphertext, or no secret at all."""
    return value is None or value == "" or isinstance(value, Ciphertext)


class SecretAttribute(DeferredAttribute):
    """The attribute of a row. Reading it decrypts, and raises `encryption.UndecryptableValue`."""

    field: EncryptedTextField

    def __get__(self, instance: models.Model | None, owner: Any = None) -> Any:
        if instance is None:
            return self
        held = self._load(instance)
        if not isinstance(held, Ciphertext):
            return held
        return encryption.decrypt(held.text, self.field.place_in(instance))

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value

    def _load(self, instance: models.Model) -> Any:
        name = self.field.attname
        if name not in instance.__dict__:
            rows = type(instance)._base_manager.using(instance._state.db).filter(pk=instance.pk)
            instance.__dict__[name] = rows.values_list(name, flat=True).get()
        return instance.__dict__[name]


class EncryptedTextField(models.TextField):
    """An encrypted text column of a `RowWithSecrets`. Queries can only filter it by `isnull`.

    Forms and `dumpdata` leave it out, so that a stored secret is never shown again.
    """

    descriptor_class = SecretAttribute

    def place_in(self, row: models.Model) -> encryption.Place:
        return self.place(row.pk)

    def place(self, pk: Any) -> encryption.Place:
        """The place of this column in a row, to which its secret is bound."""
        if pk is None:
            raise TypeError(f"{self.name} is bound to its row, whose primary key is not known yet: save the row.")
        return encryption.Place(self.model._meta.db_table, str(self.column), pk)

    def encrypt(self, value: Any, pk: Any) -> Ciphertext:
        """A new secret as it is stored in the row of this primary key."""
        if not isinstance(value, str):
            raise TypeError(f"{self.name} is encrypted and takes text only, not {type(value).__name__}.")
        return Ciphertext(encryption.encrypt(value, self.place(pk)))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """What is stored: an unread secret as it was, a new one encrypted for its row."""
        held = model_instance.__dict__.get(self.attname)
        return held if is_stored_form(held) else self.encrypt(held, model_instance.pk)

    def get_prep_value(self, value: Any) -> Any:
        if is_stored_form(value):
            return value.text if isinstance(value, Ciphertext) else value
        if not isinstance(value, str):
            raise TypeError(f"{self.name} is encrypted and takes text only, not {type(value).__name__}.")
        raise TypeError(f"{self.name} is bound to its row: save the row, or update it through `objects`.")

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Ciphertext | str | None:
        return Ciphertext(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted: it cannot be filtered by {lookup_name}.")
        return super().get_lookup(lookup_name)

    def formfield(self, **kwargs: Any) -> None:
        """No field: a form that sets a secret declares its own field and never fills it in."""

    def value_from_object(self, obj: models.Model) -> Any:
        return ""

    def value_to_string(self, obj: models.Model) -> str:
        return ""

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        problems = super().check(**kwargs)
        if not issubclass(self.model, RowWithSecrets):
            problems.append(Error("An encrypted field needs a RowWithSecrets.", obj=self, id="samsaas.E005"))
        return problems


class SecretsQuerySet(models.QuerySet[Any]):
    def update(self, **kwargs: Any) -> int:
        """Encrypts new secrets for each row. The rows are locked first, so the filter still holds when they change."""
        new = {name: value for name, value in kwargs.items() if _is_new_secret(self.model, name, value)}
        if not new:
            return super().update(**kwargs)
        with transaction.atomic(using=self.db):
            keys = list(self.order_by("pk").select_for_update().values_list("pk", flat=True))
            rows = self.model._base_manager.using(self.db)
            for pk in keys:
                sealed = {name: self.model._meta.get_field(name).encrypt(value, pk) for name, value in new.items()}
                rows.filter(pk=pk).update(**{**kwargs, **sealed})
        return len(keys)

    update.alters_data = True  # type: ignore[attr-defined]


def _is_new_secret(model: type[models.Model], name: str, value: Any) -> bool:
    """Whether an update would store plain text in an encrypted column."""
    if is_stored_form(value) or hasattr(value, "resolve_expression"):
        return False
    return isinstance(model._meta.get_field(name), EncryptedTextField)


class RowWithSecrets(models.Model):
    """A model with encrypted columns."""

    objects = SecretsQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row. A new one is inserted without its secrets first, because they are bound to its primary key."""
        new = {name: held for name in self.secret_names() if (held := self.__dict__.get(name)) and self.pk is None}
        if not new:
            return super().save(*args, **kwargs)
        self.__dict__.update(dict.fromkeys(new, ""))
        try:
            with transaction.atomic(using=kwargs.get("using")):
                super().save(*args, **kwargs)
                self.__dict__.update(new)
                super().save(using=kwargs.get("using"), update_fields=new)
        finally:
            self.__dict__.update(new)

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Any] | None = None,
    ) -> None:
        """Load the row again. Its secrets are loaded when they are read."""
        secrets = self.secret_names()
        if fields is None:
            self._prefetched_objects_cache: dict[str, Any] = {}
            deferred = self.get_deferred_fields()
            fields = [one.attname for one in self._meta.concrete_fields if one.attname not in deferred]
        wanted = set(fields)
        for name in secrets & wanted:
            self.__dict__.pop(name, None)
        if wanted - secrets:
            super().refresh_from_db(using, [name for name in wanted if name not in secrets], from_queryset)

    @classmethod
    def secret_names(cls) -> set[str]:
        return {one.attname for one in cls._meta.concrete_fields if isinstance(one, EncryptedTextField)}
