"""Edits by hand: refuse a form that somebody else overtook, and note for the audit trail what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, models, transaction
from django.forms import BaseForm


def save_or_explain(form: BaseForm, save: Callable[[], Any]) -> Any:
    """What `save()` returns, or None where the form has an error now: somebody else took the same name at this moment.

    The form was valid, and the database refuses what it held. Checked again it sees the other's row and says what it
    says to whoever comes later. If it has nothing to say, the clash was with a name that we chose, and another is free.
    """
    try:
        with transaction.atomic():
            return save()
    except IntegrityError:
        form.full_clean()
        return save() if form.is_valid() else None


class EditConflict(Exception):
    """Somebody else saved the record after this form was opened; nothing was written."""


def refuse_stale(opened: object, stored: object) -> None:
    """Raises `EditConflict` unless the version the form was opened with is still the stored one."""
    if opened != stored:
        raise EditConflict


@dataclass
class FieldChanges:
    """What an edit changed, by field, as text for the audit trail. False when nothing changed."""

    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.after)

    def add(self, name: str, before: Any, after: Any, *, empty: str = "") -> None:
        """Note one change. `empty` stands for a value that is not set."""
        self.before[name], self.after[name] = audit_value(before, empty), audit_value(after, empty)


def set_changed(
    record: models.Model, data: Mapping[str, Any], fields: Iterable[str], *, empty: str = ""
) -> FieldChanges:
    """Set those of `fields` on the record whose value in `data` is another one. The caller saves."""
    changes = FieldChanges()
    for name in fields:
        before, after = getattr(record, name), data[name]
        if before != after:
            changes.add(name, before, after, empty=empty)
            setattr(record, name, after)
    return changes


def audit_value(value: Any, empty: str = "") -> str:
    """A value as the audit trail keeps it; `empty` where there is none. `False` and 0 are values."""
    return str(value) if value not in (None, "") else empty
