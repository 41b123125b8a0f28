"""Job runs: the queue of record. One row per execution of a process, committed before anything starts."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from profiles.connectors import base

UNITS = {base.ACTIVITY: "Events", base.MATCH: "Seats", base.VALIDATE: "Processes", base.IMPORT: "Lines"}
# Processes that belong to no profile: a run of them has a subject instead, and one of them runs at a time.
OF_NO_PROFILE = (base.IMPORT,)


class JobRunQuerySet(models.QuerySet["JobRun"]):
    def active(self) -> Self:
        """Not over."""
        return self.filter(state__in=JobRun.ACTIVE)

    def under_way(self) -> Self:
        """Active, and not behind another one: at most one of a profile and process."""
        return self.active().exclude(state=JobRun.State.WAITING)

    def not_begun(self) -> Self:
        """Active, and nothing was read yet that could have changed since."""
        return self.active().exclude(state=JobRun.State.RUNNING).filter(cursor="")

    def for_process(self, process: str) -> Self:
        return self.filter(process=process)

    def startable(self) -> Self:
        """All but orphans: no worker may take a run whose profile was deleted."""
        return self.filter(models.Q(profile__isnull=False) | models.Q(process__in=OF_NO_PROFILE))


class JobRun(models.Model):
    """Trigger, state, lease, progress, counters and, where it failed, the error by remedy."""

    class Process(models.TextChoices):
        DOWNLOAD = base.DOWNLOAD, "Download subscriptions"
        ACTIVITY = base.ACTIVITY, "Pull user activity"
        RECLAIM = base.RECLAIM, "Reclaim subscriptions"
        VALIDATE = base.VALIDATE, "Validate connection"
        MATCH = base.MATCH, "Match people"
        IMPORT = base.IMPORT, "Import people"

    class Trigger(models.TextChoices):
        MANUAL = "manual", "By hand"
        SCHEDULE = "schedule", "Daily"
        FIRST = "first", "After connecting"
        CHAIN = "chain", "After the step before"

    class State(models.TextChoices):
        WAITING = "waiting", "Waits its turn"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        HELD = "held", "Waits for confirmation"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"

    ACTIVE = (State.WAITING, State.QUEUED, State.RUNNING)

    profile = models.ForeignKey(
        "profiles.IntegrationProfile", null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    profile_name = models.CharField(max_length=80, blank=True)
    subject = models.BigIntegerField(
        null=True, blank=True, help_text="For a process of no profile: the id of what the run is about."
    )
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
    outages = models.PositiveSmallIntegerField(default=0, help_text="How often it waited for the end of an outage.")
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
                fields=["profile", "process"],
                condition=models.Q(state="waiting"),
                name="run_one_waiting_per_process",
            ),
            models.UniqueConstraint(
                fields=["profile", "process", "logical_date"],
                condition=models.Q(logical_date__isnull=False),
                name="run_one_per_local_date",
            ),
            models.UniqueConstraint(
                fields=["process", "subject"],
                condition=models.Q(state__in=("queued", "running"), subject__isnull=False),
                name="run_one_active_per_subject",
            ),
            models.UniqueConstraint(
                fields=["process"],
                condition=models.Q(state="running", process__in=OF_NO_PROFILE),
                name="run_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        # The name comes last: one that is written from right to left would turn around what follows it.
        of = f", {self.profile_name}" if self.profile_name else ""
        return f"{self.get_process_display()} #{self.pk}{of}"

    def get_absolute_url(self) -> str:
        return reverse("run_detail", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def is_orphan(self) -> bool:
        """Its profile was deleted: it is a record, and nothing more is done for it."""
        return self.profile_id is None and self.process not in OF_NO_PROFILE

    @property
    def doing(self) -> str:
        """What is going on, for who watches it."""
        if self.is_active and self.cancel_requested:
            return "Canceling at the next page"
        return self.step or ("Waiting for its turn" if self.state == self.State.QUEUED else "")

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
