"""Admin classes for data that the Workspace and the jobs maintain: Core UI shows it and changes nothing."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.functional import cached_property

from samsaas import roles

MOST_COUNTED = 10_000


class BoundedPaginator(Paginator):
    """Counts up to `MOST_COUNTED` rows only, so that a list of a million rows opens as fast as a short one."""

    @cached_property
    def count(self) -> int:
        rows = cast("models.QuerySet[models.Model]", self.object_list)
        return rows[:MOST_COUNTED].count()


class RoleAdmin(admin.ModelAdmin):
    """Open to the role admin. Django's own permissions per model are not used."""

    show_full_result_count = False
    actions = None

    def is_admin(self, request: HttpRequest) -> bool:
        return roles.ADMIN in roles.roles_of(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.is_admin(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_admin(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(RoleAdmin):
    """A list and its rows. `View on site` leads to the object's page in the Workspace, if it has one."""

    paginator = BoundedPaginator
    list_per_page = 50

    def view_on_site(self, obj: models.Model) -> str | None:
        page = getattr(obj, "get_absolute_url", None)
        return page() if page else None
