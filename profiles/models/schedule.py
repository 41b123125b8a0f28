"""Scheduled jobs, and the checks that a process has to pass to get one."""

from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.urls import reverse

from profiles.connectors import base


class ScheduledJob(models.Model):
    """A process of one profile that runs daily.

    A successful validation creates it, and switching the process off deletes it. Only the download has a time of its
    own. The other steps of the daily refresh follow it.
    """

    of_profile = "profile"

    class Process(models.TextChoices):
        DOWNLOAD = base.DOWNLOAD, "Subscriptions"
        ACTIVITY = base.ACTIVITY, "Events"

    profile = models.ForeignKey(
        "profiles.IntegrationProfile", on_delete=models.CASCADE, related_name="scheduled_jobs", db_index=False
    )
    process = models.CharField(max_length=40, choices=Process.choices)
    paused = models.BooleanField(default=False)
    refresh_at = models.TimeField("daily at", null=True, blank=True, help_text="Local time. Empty: the alias's.")
    zone = models.CharField(
        "time zone", max_length=60, blank=True, help_text="Such as Europe/Berlin. Empty: the alias's."
    )
    version = models.PositiveIntegerField(default=1, help_text="Counts every change of its time.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["profile", "process"]
        constraints = [models.UniqueConstraint(fields=["profile", "process"], name="scheduled_job_one_per_process")]

    def __str__(self) -> str:
        return f"SAM - Refresh {self.profile.display_name} {self.get_process_display()}"

    def get_absolute_url(self) -> str:
        return reverse("scheduled_job_edit", args=[self.pk])

    @property
    def local_time(self) -> time:
        """The job's own time, else the alias's, else the installation's."""
        at: time | None = self.refresh_at or self.profile.alias.effective_setting("refresh_at")
        return at or time.fromisoformat(settings.DAILY_REFRESH_AT)

    @property
    def local_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone or self.profile.alias.effective_setting("zone") or settings.TIME_ZONE)


class ProcessCheck(models.Model):
    """The result of the last validation of one process of a profile."""

    profile = models.ForeignKey(
        "profiles.IntegrationProfile", on_delete=models.CASCADE, related_name="checks", db_index=False
    )
    process = models.CharField(max_length=40)
    run = models.ForeignKey("profiles.JobRun", null=True, on_delete=models.SET_NULL, related_name="checks")
    passed = models.BooleanField()
    message = models.TextField()
    remedy = models.TextField(blank=True)
    status = models.PositiveIntegerField(null=True, blank=True)
    request_id = models.CharField(max_length=120, blank=True)
    refused_scope = models.CharField(max_length=120, blank=True, help_text="The scope the vendor said is missing.")
    checked_at = models.DateTimeField()

    class Meta:
        ordering = ["profile", "pk"]
        constraints = [models.UniqueConstraint(fields=["profile", "process"], name="check_one_per_process")]

    def __str__(self) -> str:
        return f"{self.process}: {'passed' if self.passed else 'failed'}"

    @property
    def label(self) -> str:
        """The vendor's process, as it is called on every page."""
        labels = {process.key: process.label for process in self.profile.vendor_info.processes}
        return labels.get(self.process, self.process)
