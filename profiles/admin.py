"""Core UI: profiles, aliases, credentials without their secrets, and job runs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from profiles import classic_form, connectors, notices, overview, validate
from profiles.models import ConnectionAlias, Credential, IntegrationProfile, JobRun, ProcessCheck, ScheduledJob
from samsaas import policy
from samsaas.read_only_admin import AdminButton, ReadOnlyAdmin, RelatedList

SECRETS = ("client_secret", "access_token", "refresh_token")


@admin.register(IntegrationProfile)
class IntegrationProfileAdmin(ReadOnlyAdmin):
    """Direct Integration Profiles. New is inactive while the Workspace is in use; the page says where to go."""

    ordering = ("display_name",)
    list_display = ("display_name", "profile_type", "team_name", "status", "attention", "refreshed_at")
    list_filter = ("vendor", "status", "attention")
    search_fields = ("display_name", "team_name")
    list_select_related = ("alias",)
    exclude = ("licenses_reported", "seats_provisioned_reported", "seats_used_reported", "version")
    readonly_fields = ("purchased", "in_use", "profile_type", "redirect_url", "what_it_needs")
    buttons = (
        AdminButton(label="Get OAuth Token", url_name="profile_authorize", method="POST"),
        AdminButton(
            label="Validate Connection", url_name="profile_validate", method="POST", shown=validate.can_validate
        ),
        AdminButton(
            label="Download subscriptions", url_name="profile_download", method="POST", shown=overview.can_download
        ),
        AdminButton(label="Edit", url_name="profile_edit", shown=lambda profile: settings.WORKSPACE),
        AdminButton(
            label="Edit",
            url_name="admin:profiles_integrationprofile_edit",
            shown=lambda profile: not settings.WORKSPACE,
        ),
        AdminButton(label="Disconnect", url_name="profile_disconnect", shown=lambda profile: bool(profile.team_id)),
        AdminButton(label="Delete", url_name="profile_delete"),
    )
    related_lists = (
        RelatedList(label="Software subscriptions", of="subscriptions_subscription", lookup="profile__id__exact"),
        RelatedList(
            label="Unrecognized subscription identifiers",
            of="subscriptions_subscriptionidentifier",
            lookup="vendor__exact",
            key=lambda profile: profile.vendor,
            narrowed=(("software_model__isempty", "1"),),
        ),
        *(
            RelatedList(label=label, of=of, lookup="profile__id__exact")
            for label, of in (
                ("Scheduled jobs", "profiles_scheduledjob"),
                ("Job results", "profiles_jobrun"),
                ("Connection checks", "profiles_processcheck"),
                ("Subscription identifier exclusion rules", "subscriptions_identifierexclusion"),
                ("Subscription user exclusion rules", "subscriptions_userexclusion"),
                ("Activity coverage", "subscriptions_activitycoverage"),
                ("Removal candidates", "reclamation_removalcandidate"),
            )
        ),
    )

    @admin.display(description="Profile type", ordering="vendor")
    def profile_type(self, profile: IntegrationProfile) -> str:
        """ServiceNow's own label, such as *DropBox Subscription*; the Workspace shows the vendor's name."""
        return profile.vendor_info.profile_type

    @admin.display(description="Licenses purchased, per vendor", empty_value="not known")
    def purchased(self, profile: IntegrationProfile) -> int | None:
        return profile.licenses_reported

    @admin.display(description="Licenses in use, per vendor", empty_value="not known")
    def in_use(self, profile: IntegrationProfile) -> int | None:
        return profile.seats_used_reported

    @admin.display(description="Redirect URL")
    def redirect_url(self, profile: IntegrationProfile) -> str:
        return settings.OAUTH_REDIRECT_URL

    @admin.display(description="What it needs", empty_value="nothing")
    def what_it_needs(self, profile: IntegrationProfile) -> str:
        """The same notices as on its page in the Workspace."""
        found = notices.urgent_by_profile([profile], None, timezone.now())[profile.pk]
        return "\n".join(f"{one.title}. {one.text}" for one in found)

    def view_on_site(self, obj: Any) -> str:
        return reverse("profile_detail", args=[obj.pk])

    def get_urls(self) -> list[URLPattern]:
        name = "profiles_integrationprofile"
        own = [
            path("new/<slug:vendor>/", self.admin_site.admin_view(classic_form.new_profile), name=f"{name}_new"),
            path("<int:pk>/edit/", self.admin_site.admin_view(classic_form.edit_profile), name=f"{name}_edit"),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        vendors = connectors.vendors().values() if policy.may(request.user, "profile_create") else ()
        own = {"workspace": settings.WORKSPACE, "vendors": vendors}
        return super().changelist_view(request, {**own, **(extra_context or {})})

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The list, which says what *New* leads to: the form of a vendor, or the Workspace while it is in use."""
        if settings.WORKSPACE:
            messages.warning(request, classic_form.ELSEWHERE)
        return redirect("admin:profiles_integrationprofile_changelist")


@admin.register(ConnectionAlias)
class ConnectionAliasAdmin(ReadOnlyAdmin):
    list_display = ("name", "vendor", "parent", "page_size")
    list_filter = ("vendor",)
    search_fields = ("name",)
    list_select_related = ("parent",)
    buttons = (
        AdminButton(label="Edit", url_name="alias_edit"),
        AdminButton(label="New child alias", url_name="alias_child_new", shown=lambda alias: alias.parent_id is None),
        AdminButton(label="Removal limits", url_name="alias_limits"),
        AdminButton(label="Delete", url_name="alias_delete"),
    )
    related_lists = (
        RelatedList(label="Credentials", of="profiles_credential", lookup="alias__id__exact"),
        RelatedList(label="Integration profiles", of="profiles_integrationprofile", lookup="alias__id__exact"),
        RelatedList(label="Child aliases", of="profiles_connectionalias", lookup="parent__id__exact"),
    )


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
    buttons = (
        AdminButton(label="Progress", url_name="run_detail"),
        AdminButton(label="Cancel", url_name="run_cancel", method="POST", shown=lambda run: run.is_active),
        AdminButton(label="Run again", url_name="run_again", method="POST", shown=lambda run: not run.is_active),
    )

    def get_exclude(self, request: HttpRequest, obj: JobRun | None = None) -> tuple[str, ...]:
        """What a vendor answered, word for word, is for those who may change profiles."""
        technical = ("cursor", "owner", "unreadable")
        return technical if policy.may(request.user, "profile_edit") else (*technical, "error_body")


@admin.register(ScheduledJob)
class ScheduledJobAdmin(ReadOnlyAdmin):
    """Scheduled Jobs."""

    list_display = ("__str__", "process", "paused", "refresh_at", "zone")
    list_filter = ("process", "paused")
    list_select_related = ("profile",)
    buttons = (
        AdminButton(label="Run now", url_name="scheduled_job_run", method="POST"),
        AdminButton(label="Pause", url_name="scheduled_job_pause", method="POST", shown=lambda job: not job.paused),
        AdminButton(label="Resume", url_name="scheduled_job_pause", method="POST", shown=lambda job: job.paused),
        AdminButton(label="Edit", url_name="scheduled_job_edit"),
    )


@admin.register(ProcessCheck)
class ProcessCheckAdmin(ReadOnlyAdmin):
    """The result of the last validation of each process."""

    list_display = ("profile", "process", "passed", "message", "checked_at")
    list_filter = ("process", "passed")
    list_select_related = ("profile",)
