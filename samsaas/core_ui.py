"""Core UI: Django's admin, dressed with the classic navigation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from samsaas import roles, sign_in
from samsaas.read_only_admin import ReadOnlyAdmin, RoleAdmin


class CoreUISite(AdminSite):
    """For the role admin only; the Workspace does the daily work."""

    site_header = "samsaas Core UI"
    site_title = "samsaas Core UI"
    index_title = "All"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and roles.ADMIN in roles.roles_of(request.user)

    def register(
        self,
        model_or_iterable: type[models.Model] | Iterable[type[models.Model]],
        admin_class: type[ModelAdmin] | None = None,
        **options: Any,
    ) -> None:
        """Tables of other packages are shown and never edited, not even by a superuser.

        Who could delete a failed sign-in or add a periodic task there would leave no entry in the audit trail.
        """
        several = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        for model in several:
            own = admin_class is not None and issubclass(admin_class, RoleAdmin)
            super().register(model, admin_class if own else _read_only(model, admin_class), **options)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one place to sign in. Who is signed in and gets here, goes on."""
        return redirect("admin:index" if request.user.is_authenticated else "login")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The same sign-out as in the Workspace."""
        return sign_in.SignOut.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """There is one page to change the own password, which counts wrong ones and records the change."""
        return redirect("password_change")


def _read_only(model: type[models.Model], admin_class: type[ModelAdmin] | None) -> type[ReadOnlyAdmin]:
    """A read-only admin with the columns of another one, as far as they are fields of the model."""
    names = {field.name for field in model._meta.get_fields()}
    shown = [name for name in getattr(admin_class, "list_display", ()) if name in names]
    searched = [name for name in getattr(admin_class, "search_fields", ()) if name in names]
    facts = {"list_display": shown or ("__str__",), "search_fields": searched}
    return type(f"ReadOnly{model.__name__}Admin", (ReadOnlyAdmin,), facts)
