"""Core UI: Django's admin, dressed with the classic navigation."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from samsaas import roles


class CoreUISite(AdminSite):
    """For the role admin only; the Workspace does the daily work."""

    site_header = "samsaas Core UI"
    site_title = "samsaas Core UI"
    index_title = "All"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and roles.ADMIN in roles.roles_of(request.user)
