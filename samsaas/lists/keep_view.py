"""Save, change and delete views of lists. Each leaves an audit entry, since others may work with a shared one."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from samsaas import audit, roles
from samsaas.lists import choose
from samsaas.models import SavedView


def may_change(account: User, view: SavedView) -> bool:
    """The owner may; of a shared view an admin, too."""
    return view.owner_id == account.pk or (view.shared and roles.ADMIN in roles.roles_of(account))


@transaction.atomic
def create(account: User, *, key: str, name: str, query: str, shared: bool) -> SavedView:
    """Save a view of one's own."""
    view = SavedView.objects.create(list=key, owner=account, name=name, query=query, shared=shared)
    audit.record(account, "saved view", view, list=key, query=query, shared=shared)
    return view


@transaction.atomic
def change(view: SavedView, *, by: User, name: str | None = None, query: str | None = None, shared: bool) -> None:
    """Rename a view, share it or no longer, or save it with another filter. None: as it was."""
    before = {"name": view.name, "query": view.query, "shared": view.shared}
    view.name = view.name if name is None else name
    view.query = view.query if query is None else query
    view.shared = shared
    after = {"name": view.name, "query": view.query, "shared": view.shared}
    if before != after:
        view.save()
        audit.record(by, "changed view", view, list=view.list, before=before, after=after)


@transaction.atomic
def delete(view: SavedView, *, by: User) -> None:
    """Delete a view. Lists that opened with it open with all of their rows."""
    audit.record(by, "deleted view", view, list=view.list, query=view.query, shared=view.shared)
    view.delete()


@transaction.atomic
def open_with(account: User, key: str, view: SavedView | None) -> None:
    """Open a list with this view; None: with all of it."""
    choose.open_with(account, key, view.pk if view else None)
    audit.record(account, "opens list with view", view, list=key)
