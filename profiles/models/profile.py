"""Integration profiles: one connection to one tenant of one vendor."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from profiles import connectors
from profiles.connectors import base
from profiles.models.alias import vendor_choices


class IntegrationProfile(models.Model):
    """A profile is a draft until its connection works. `attention` says what stops a published one from refreshing."""

    of_profile = "pk"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"

    class Attention(models.TextChoices):
        NONE = "", "None"
        NEEDS_AUTHORIZATION = "needs_authorization", "Needs authorization"
        CLIENT_REFUSED = "client_refused", "Client secret refused"
        REFRESH_FAILED = "refresh_failed", "Last refresh failed"
        REFRESH_HELD = "refresh_held", "Refresh waits for confirmation"

    vendor = models.CharField(max_length=40, choices=vendor_choices)
    display_name = models.CharField(max_length=80)
    alias = models.OneToOneField("profiles.ConnectionAlias", on_delete=models.PROTECT, related_name="profile")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    attention = models.CharField(max_length=30, choices=Attention.choices, default=Attention.NONE, blank=True)
    analyze_activity_from = models.DateTimeField()
    pull_activity = models.BooleanField("Pull user activity", default=True)
    reclaim = models.BooleanField("Reclaim subscriptions", default=True)

    team_id = models.CharField(max_length=255, blank=True)
    team_name = models.CharField(max_length=255, blank=True)
    team_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Since when it is connected to this team. Facts from before are of another one.",
    )
    licenses_reported = models.PositiveIntegerField(null=True, blank=True)
    seats_provisioned_reported = models.PositiveIntegerField(null=True, blank=True)
    seats_used_reported = models.PositiveIntegerField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True, help_text="End of the last complete download.")

    validated_at = models.DateTimeField(null=True, blank=True, help_text="When every enabled process passed its check.")
    activity_refreshed_at = models.DateTimeField(null=True, blank=True, help_text="End of the last complete pull.")
    file_events = models.BooleanField(null=True, help_text="Whether the vendor's plan records file events.")

    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["display_name"]
        constraints = [
            models.UniqueConstraint(
                Lower("display_name"),
                name="profile_display_name_unique",
                violation_error_message="Another integration profile has this display name.",
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        """Its page in the Workspace, or in Core UI where profiles are kept there."""
        name = "profile_detail" if settings.WORKSPACE else "admin:profiles_integrationprofile_change"
        return reverse(name, args=[self.pk])

    @property
    def jobs_url(self) -> str:
        """The page that shows its scheduled jobs."""
        return reverse("profile_jobs", args=[self.pk]) if settings.WORKSPACE else self.get_absolute_url()

    def sharing_team(self, team_id: str) -> models.QuerySet[IntegrationProfile]:
        """Other profiles of this vendor that are connected to the team; none where `team_id` is empty."""
        others = IntegrationProfile.objects.exclude(pk=self.pk).exclude(team_id="")
        return others.filter(vendor=self.vendor, team_id=team_id)

    @property
    def vendor_info(self) -> base.Vendor:
        return connectors.vendor(self.vendor)

    def process_enabled(self, key: str) -> bool:
        """Whether a process is switched on. The download always is."""
        return {base.ACTIVITY: self.pull_activity, base.RECLAIM: self.reclaim}.get(key, True)

    @property
    def enabled_processes(self) -> list[base.VendorProcess]:
        return [process for process in self.vendor_info.processes if self.process_enabled(process.key)]
