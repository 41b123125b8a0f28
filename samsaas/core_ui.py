"""Core UI: Django's admin, dressed with the classic navigation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path

from samsaas import core_navigation, roles, sign_in
from samsaas.read_only_admin import RoleAdmin
from subscriptions.workbench import views as workbench


class CoreUISite(AdminSite):
    """The classic interface, for the same roles as the Workspace. What they may see and do is in `policy.POLICY`."""

    site_header = "samsaas Core UI"
    site_title = "samsaas Core UI"
    index_title = "All"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and bool(roles.roles_of(request.user))

    def register(
        self,
        model_or_iterable: type[models.Model] | Iterable[type[models.Model]],
        admin_class: type[ModelAdmin] | None = None,
        **options: Any,
    ) -> None:
        """Tables of other packages are left out, and so are their admin classes, which know none of our roles.

        Who could delete a failed sign-in or add a periodic task there would leave no entry in the audit trail.
        """
        if admin_class is not None and issubclass(admin_class, RoleAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own: list[URLPattern | URLResolver] = [
            path(f"license-workbench/{place}", self.admin_view(view), {"site": self}, name=name)
            for place, view, name in (
                ("", workbench.license_workbench, "license_workbench"),
                ("run/", workbench.run_reconciliation, "run_reconciliation"),
                ("pin/", workbench.pin_publisher, "pin_publisher"),
            )
        ]
        return own + super().get_urls()

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "modules": core_navigation.for_request(request)}

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        """The classic navigation has no pages by app."""
        return redirect("admin:index")

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one place to sign in. Who is signed in and gets here, goes on."""
        return redirect("admin:index" if request.user.is_authenticated else "login")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The same sign-out as in the Workspace."""
        return sign_in.SignOut.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """There is one page to change the own password, which counts wrong ones and records the change."""
        return redirect("password_change")
