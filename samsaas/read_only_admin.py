"""Admin classes of Core UI. It shows what the Workspace and the jobs maintain, and its buttons lead to their pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property

from samsaas import core_navigation, policy, roles
from samsaas.lib import search

MOST_COUNTED = 10_000


@dataclass(frozen=True, kw_only=True)
class AdminButton:
    """A button above a list, or above a form if `on_row`. It is shown to whom the page behind it is open.

    A POST button acts at once; the page that it calls answers with where to go.
    """

    label: str
    url_name: str
    method: str = "GET"
    on_row: bool = True
    shown: Callable[[Any], bool] = bool

    def describe(self, request: HttpRequest, row: Any = None) -> dict[str, str] | None:
        """What the template draws; None if this account may not, or if it does not fit this row."""
        if not policy.may(request.user, self.url_name, self.method) or (self.on_row and not self.shown(row)):
            return None
        url = reverse(self.url_name, args=[row.pk] if self.on_row else [])
        return {"label": self.label, "url": url, "method": self.method}


@dataclass(frozen=True, kw_only=True)
class RelatedList:
    """A link below a form to the rows that belong to it: the list of `of` where `lookup` is the row's key."""

    label: str
    of: str
    lookup: str
    narrowed: tuple[tuple[str, str], ...] = ()
    key: Callable[[Any], Any] = lambda row: row.pk

    def describe(self, request: HttpRequest, row: Any) -> dict[str, str] | None:
        """What the template draws; None if this account may not open that list."""
        name = f"admin:{self.of}_changelist"
        if not policy.may(request.user, name):
            return None
        query = urlencode([(self.lookup, self.key(row)), *self.narrowed])
        return {"label": self.label, "url": f"{reverse(name)}?{query}"}


class BoundedPaginator(Paginator):
    """Counts up to `MOST_COUNTED` rows only, so that a list of a million rows opens as fast as a short one."""

    @cached_property
    def count(self) -> int:
        rows = cast("models.QuerySet[models.Model]", self.object_list)
        return rows.order_by()[:MOST_COUNTED].count()


class RoleAdmin(admin.ModelAdmin):
    """Open to the roles that `policy.POLICY` names. Django's own permissions per model are not used."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # counting what each filter would give reads the whole table
    actions = None
    buttons: tuple[AdminButton, ...] = ()
    related_lists: tuple[RelatedList, ...] = ()

    def is_admin(self, request: HttpRequest) -> bool:
        return roles.ADMIN in roles.roles_of(request.user)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[Any, bool]:
        """As the lists of the Workspace search: by a search of the model's own, or else in `search_fields`.

        A field with `=` before it is no text: the whole term has to be its value.
        """
        if not search_term or not self.search_fields:
            return queryset, False
        if own := getattr(queryset, "search", None):
            return own(search_term), False
        texts = [field for field in self.search_fields if not field.startswith("=")]
        exactly = [self._equals(field[1:], search_term) for field in self.search_fields if field.startswith("=")]
        or_else = reduce(or_, filter(None, exactly), Q()) or None
        return search.find(queryset, search_term, *texts, or_else=or_else), False

    @staticmethod
    def _equals(field: str, term: str) -> Q | None:
        is_number = field.rpartition("__")[2] == "id"
        return search.numbered(term, "#", field) if is_number else Q(**{field: term})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return policy.may(request.user, f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        path, label = core_navigation.place_of(self.model)
        drawn = [one.describe(request) for one in self.buttons if not one.on_row]
        own = {"title": label, "module_path": path, "buttons": [one for one in drawn if one]}
        return super().changelist_view(request, {**own, **(extra_context or {})})

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        path, label = core_navigation.place_of(self.model)
        context |= {"module_path": path, "list_label": label}
        if obj is not None:
            if not change or not self.has_change_permission(request, obj):
                context["title"] = str(self.opts.verbose_name).capitalize()
            drawn = [one.describe(request, obj) for one in self.buttons if one.on_row]
            lists = [one.describe(request, obj) for one in self.related_lists]
            context |= {"buttons": [one for one in drawn if one], "related_lists": [one for one in lists if one]}
        return super().render_change_form(request, context, add, change, form_url, obj)


class ReadOnlyAdmin(RoleAdmin):
    """A list and its rows, the newest first. *Open in the Workspace* leads to the row's page there, if it has one."""

    paginator = BoundedPaginator
    list_per_page = 50
    ordering: ClassVar[Any] = ("-pk",)

    def view_on_site(self, obj: models.Model) -> str | None:
        page = getattr(obj, "get_absolute_url", None)
        return page() if page else None
