"""Job runs: the queue of record. One row per execution of a process, committed before anything starts."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from profiles.connectors import base

UNITS = {base.ACTIVITY: "Events", base.MATCH: "Seats", base.VALIDATE: "Processes"}


class JobRunQuerySet(models.QuerySet["JobRun"]):
    def active(self) -> Self:
        return self.filter(state__in=JobRun.ACTIVE)

    def for_process(self, process: str) -> Self:
        return self.filter(process=process)


class JobRun(models.Model):
    """Trigger, state, lease, progress, counters and, where it failed, the error by remedy."""

    class Process(models.TextChoices):
        DOWNLOAD = base.DOWNLOAD, "Download subscriptions"
        ACTIVITY = base.ACTIVITY, "Pull user activity"
        RECLAIM = base.RECLAIM, "Reclaim subscriptions"
        VALIDATE = base.VALIDATE, "Validate connection"
        MATCH = base.MATCH, "Match people"

    class Trigger(models.TextChoices):
        MANUAL = "manual", "By hand"
        SCHEDULE = "schedule", "Daily"
        FIRST = "first", "After connecting"
        CHAIN = "chain", "After the step before"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        HELD = "held", "Waits for confirmation"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    ACTIVE = (State.QUEUED, State.RUNNING)

    profile = models.ForeignKey(
        "profiles.IntegrationProfile", null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    profile_name = models.CharField(max_length=80)
    process = models.CharField(max_length=40, choices=Process.choices)
    trigger = models.CharField(max_length=20, choices=Trigger.choices)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    logical_date = models.DateField(null=True, blank=True, help_text="The local date of a scheduled run.")
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    in_chain = models.BooleanField(default=False, help_text="The next step of the daily refresh follows its success.")
    after = models.OneToOneField("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="followed_by")

    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True, help_text="Not to be claimed earlier.")
    rung_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was last called.")
    owner = models.CharField(max_length=36, blank=True)
    generation = models.PositiveIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    accept_drop = models.BooleanField(default=False, help_text="A person confirmed that so many seats may end.")

    cursor = models.TextField(blank=True)
    cursor_at = models.DateTimeField(null=True, blank=True)
    pages = models.PositiveIntegerField(default=0)
    items = models.PositiveIntegerField(default=0)
    expected_items = models.PositiveIntegerField(null=True, blank=True)
    retries = models.PositiveIntegerField(default=0)
    throttled_seconds = models.FloatField(default=0)
    step = models.CharField(max_length=120, blank=True)
    counters = models.JSONField(default=dict)
    facts = models.JSONField(default=dict, help_text="What the run found that is no number.")
    warnings = models.JSONField(default=list)

    error_kind = models.CharField(max_length=40, blank=True)
    error_scope = models.CharField(max_length=120, blank=True, help_text="The scope the vendor said is missing.")
    error_message = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    error_endpoint = models.CharField(max_length=120, blank=True)
    error_status = models.PositiveIntegerField(null=True, blank=True)
    error_body = models.TextField(blank=True)
    error_request_id = models.CharField(max_length=120, blank=True)

    objects = JobRunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "not_before"]), models.Index(fields=["profile", "process", "-id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "process"],
                condition=models.Q(state__in=("queued", "running")),
                name="run_one_active_per_process",
            ),
            models.UniqueConstraint(
                fields=["profile", "process", "logical_date"],
                condition=models.Q(logical_date__isnull=False),
                name="run_one_per_local_date",
            ),
        ]

    def __str__(self) -> str:
        # The name comes last: one that is written from right to left would turn around what follows it.
        return f"{self.get_process_display()} #{self.pk}, {self.profile_name}"

    def get_absolute_url(self) -> str:
        return reverse("run_detail", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def doing(self) -> str:
        """What is going on, for who watches it."""
        return "Cancelling at the next page" if self.is_active and self.cancel_requested else self.step

    @property
    def unit(self) -> str:
        """What `items` counts."""
        return UNITS.get(self.process, "Members")

    @property
    def lasted(self) -> float | None:
        """Seconds from the last start to the end, or to the last sign of life; `None` before the first start."""
        last = self.finished_at or self.heartbeat_at
        return (last - self.started_at).total_seconds() if self.started_at and last else None

    @property
    def rate(self) -> float | None:
        """Items a second since the last start."""
        return self.items / self.lasted if self.lasted and self.lasted >= 0.5 else None
