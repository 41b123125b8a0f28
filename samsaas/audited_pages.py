"""The pages of what entries of the audit trail are about: only those that still exist and that the reader may open."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit

from django.apps import apps
from django.contrib.auth.models import User
from django.db import models
from django.urls import resolve, reverse

from samsaas import policy
from samsaas.models import AuditEntry


@cache
def models_by_kind() -> dict[str, type[models.Model]]:
    """The models with a page, by the kind that `samsaas.audit` writes."""
    found = {str(model._meta.verbose_name).title(): model for model in apps.get_models()}
    return {kind: model for kind, model in found.items() if hasattr(model, "get_absolute_url")} | {"User": User}


def add_pages(entries: Iterable[AuditEntry], reader: User) -> None:
    """Set `page` on each entry: the address of its object, or an empty text. One query for each kind of object."""
    numbers: dict[str, set[str]] = {}
    for entry in entries:
        numbers.setdefault(entry.object_type, set()).add(entry.object_id)
    stored = {kind: _stored(kind, those) for kind, those in numbers.items()}
    for entry in entries:
        one = stored[entry.object_type].get(entry.object_id)
        address = _page_of(one) if one else ""
        entry.page = address if address and _may_open(address, reader) else ""  # type: ignore[attr-defined]


def _stored(kind: str, numbers: set[str]) -> dict[str, models.Model]:
    model = models_by_kind().get(kind)
    keys = [int(number) for number in numbers if number.isdecimal()]
    return {str(pk): one for pk, one in model._default_manager.in_bulk(keys).items()} if model and keys else {}


def _page_of(one: models.Model) -> str:
    if isinstance(one, User):  # Django's own, which knows no page of ours
        return reverse("account_detail", args=[one.pk])
    return str(one.get_absolute_url())  # type: ignore[attr-defined]


def _may_open(address: str, reader: User) -> bool:
    return policy.may(reader, resolve(urlsplit(address).path).view_name)
