"""Core UI: Django's admin, dressed with the classic navigation."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from samsaas import roles, sign_in


class CoreUISite(AdminSite):
    """For the role admin only; the Workspace does the daily work."""

    site_header = "samsaas Core UI"
    site_title = "samsaas Core UI"
    index_title = "All"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and roles.ADMIN in roles.roles_of(request.user)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Core UI has no sign-in page of its own: who gets here is signed in already."""
        return redirect("admin:index")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The same sign-out as in the Workspace."""
        return sign_in.SignOut.as_view()(request)
