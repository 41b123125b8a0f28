"""Limited sight: of which profiles an account may see rows, and the rows of these.

Nobody is limited by default. A model whose rows belong to profiles says by `of_profile` through which path; rows of any
other model are refused to a limited person, so that a list that nobody thought of shows nothing instead of everything.
Who is limited is known to the app that `settings.SIGHT_OF` names. What of each page a limited person gets is in
`samsaas.page_sight`.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.utils.module_loading import import_string

Sight = frozenset[int] | None  # keys of profiles; None: everything
CACHE = "_samsaas_sight"  # attribute of the account object, so that a request reads it once
ON_REQUEST = "sight"  # attribute of a request, once its page is known
UNREAD = object()


def sight_of(user: Any) -> Sight:
    """The profiles that an account may see; None for everything. One query a request."""
    found: Any = getattr(user, CACHE, UNREAD)
    if found is UNREAD:
        found = import_string(settings.SIGHT_OF)(user)
        setattr(user, CACHE, found)
    return found


def seen_by(request: Any) -> Sight:
    """The profiles that a request may show; None for everything, or where its page is not about profiles."""
    found: Any = getattr(request, ON_REQUEST, UNREAD)
    if found is UNREAD:  # not of the middleware, as in the job that opens a list again
        user = getattr(request, "user", None)
        return None if user is None else sight_of(user)
    return found


def limit_rows(request: Any, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows of a queryset that the person of a request may see."""
    sight = seen_by(request)
    return rows if sight is None else rows.filter(within(rows.model, sight))


def limit_choices(request: Any, field: Any) -> None:
    """Let a field offer what the person may see only. Rows that belong to no profile, such as rules, stay."""
    sight, rows = seen_by(request), field.queryset
    if sight is not None and rows is not None and path_of(rows.model):
        field.queryset = rows.filter(within(rows.model, sight)).distinct()


def path_of(model: type[Model]) -> str:
    """The path from a row to its profile; empty where rows of the model belong to none."""
    return str(getattr(model, "of_profile", ""))


def within(model: type[Model], sight: frozenset[int]) -> Q:
    """The condition for rows of these profiles. Raises `PermissionDenied` for a model that belongs to none."""
    path = path_of(model)
    if not path:
        raise PermissionDenied(f"{model._meta.label} belongs to no profile.")
    return Q(**{f"{path}__in": sorted(sight)})
