"""Keep what a person chose for their lists. Every choice leaves an audit entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.contrib.auth.models import User
from django.db import transaction

from samsaas import audit
from samsaas.lib.list_choices import ListChoices, always_shown, list_key
from samsaas.lib.tables import Table
from samsaas.models import ListPreference


def read_stored(account: User) -> ListChoices:
    """The stored choices of an account. One query."""
    stored = ListPreference.objects.filter(pk=account.pk).first()
    if stored is None:
        return ListChoices()
    return ListChoices(is_compact=stored.is_compact, columns=stored.columns, opens_with=stored.opens_with)


def set_density(account: User, *, is_compact: bool) -> None:
    """Show all lists of this person with one line a row, or with room."""
    _change(account, lambda stored: setattr(stored, "is_compact", is_compact))
    audit.record(account, "changed density of lists", None, density="compact" if is_compact else "comfortable")


def set_columns(account: User, table_class: type[Table], chosen: Iterable[str]) -> None:
    """Show these columns of a list, and those that are always shown."""
    key, fixed, wanted = list_key(table_class), always_shown(table_class), set(chosen)
    names = [name for name in table_class.base_columns if name in wanted and name not in fixed]
    _change(account, lambda stored: stored.columns.update({key: names}))
    audit.record(account, "changed columns of list", None, list=table_class.caption, columns=names)


def reset_columns(account: User, table_class: type[Table]) -> None:
    """Show the columns that the list shows by itself."""
    _change(account, lambda stored: stored.columns.pop(list_key(table_class), None))
    audit.record(account, "reset columns of list", None, list=table_class.caption)


def open_with(account: User, key: str, view: int | None) -> None:
    """Open a list with this saved view; None: with all of it. The caller writes the audit entry."""

    def change(stored: ListPreference) -> None:
        stored.opens_with.pop(key, None)
        if view is not None:
            stored.opens_with[key] = view

    _change(account, change)


@transaction.atomic
def _change(account: User, change: Callable[[ListPreference], object]) -> None:
    """Two tabs that choose at the same moment do not undo each other's choice."""
    ListPreference.objects.get_or_create(account=account)
    stored = ListPreference.objects.select_for_update().get(account=account)
    change(stored)
    stored.save()
