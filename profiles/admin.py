"""Core UI: profiles, aliases, credentials without their secrets, and job runs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from profiles import connectors
from profiles.models import ConnectionAlias, Credential, IntegrationProfile, JobRun, ProcessCheck, ScheduledJob
from samsaas import roles
from samsaas.read_only_admin import ReadOnlyAdmin

SECRETS = ("client_secret", "access_token", "refresh_token")
ELSEWHERE = (
    "Profiles are created in the Software Asset Workspace while it is in use: License operations > User Subscriptions "
    "> Direct integration profiles > New."
)


@admin.register(IntegrationProfile)
class IntegrationProfileAdmin(ReadOnlyAdmin):
    """Direct Integration Profiles. New is inactive while the Workspace is in use; the page says where to go."""

    list_display = ("display_name", "profile_type", "team_name", "status", "attention", "refreshed_at")
    list_filter = ("vendor", "status", "attention")
    search_fields = ("display_name", "team_name")
    list_select_related = ("alias",)

    @admin.display(description="Profile type", ordering="vendor")
    def profile_type(self, profile: IntegrationProfile) -> str:
        """ServiceNow's own label, such as *DropBox Subscription*; the Workspace shows the vendor's name."""
        return profile.vendor_info.profile_type

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        own = {"workspace": settings.WORKSPACE, "vendors": connectors.vendors().values()}
        return super().changelist_view(request, {**own, **(extra_context or {})})

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Redirect: to the list with a note while the Workspace is in use, otherwise to the form of a new profile."""
        if settings.WORKSPACE:
            messages.warning(request, ELSEWHERE)
            return redirect("admin:profiles_integrationprofile_changelist")
        return redirect("profile_new")


@admin.register(ConnectionAlias)
class ConnectionAliasAdmin(ReadOnlyAdmin):
    list_display = ("name", "vendor", "parent", "page_size")
    list_filter = ("vendor",)
    search_fields = ("name",)
    list_select_related = ("parent",)


@admin.register(Credential)
class CredentialAdmin(ReadOnlyAdmin):
    """Who connected what, with which scopes. Secrets are not read from the database."""

    list_display = ("alias", "purpose", "client_id", "state", "team_name", "admin_email", "authorized_at")
    list_filter = ("purpose", "state")
    search_fields = ("alias__name", "client_id", "team_name", "admin_email")
    fields = (
        "alias",
        "purpose",
        "client_id",
        "client_changed_at",
        "state",
        "state_reason",
        "granted_scopes",
        "team_name",
        "team_id",
        "admin_name",
        "admin_email",
        "admin_external_id",
        "authorized_at",
        "authorized_by",
        "expires_at",
        "refreshed_at",
        "not_before",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        return super().get_queryset(request).select_related("alias").defer(*SECRETS)


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    """Job results."""

    list_display = ("id", "process", "profile_name", "trigger", "state", "items", "created_at", "finished_at")
    list_filter = ("process", "trigger", "state")
    search_fields = ("=id", "profile_name")

    def get_exclude(self, request: HttpRequest, obj: JobRun | None = None) -> tuple[str, ...]:
        """What a vendor answered, word for word, is for those who may change profiles."""
        technical = ("cursor", "owner", "unreadable")
        return technical if roles.may(request.user, "profile_edit") else (*technical, "error_body")


@admin.register(ScheduledJob)
class ScheduledJobAdmin(ReadOnlyAdmin):
    """Scheduled Jobs."""

    list_display = ("__str__", "process", "paused", "refresh_at", "zone")
    list_filter = ("process", "paused")
    list_select_related = ("profile",)


@admin.register(ProcessCheck)
class ProcessCheckAdmin(ReadOnlyAdmin):
    """The result of the last validation of each process."""

    list_display = ("profile", "process", "passed", "message", "checked_at")
    list_filter = ("process", "passed")
    list_select_related = ("profile",)
