"""Job runs: the queue of record. One row per execution of a process, committed before anything starts."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.module_loading import import_string

VALIDATE = "validate_connection"
FIND_PROCESS = "profiles.jobs.process.find_process"  # by its path, because models may not import what stands on them


def declared_processes() -> list[Any]:
    """Every process of the installed apps, as `profiles.jobs.process.Process`. JOB_PROCESSES names the lists."""
    return [process for path in settings.JOB_PROCESSES for process in import_string(path)]


def process_choices() -> list[tuple[str, str]]:
    """Key and label of every declared process. Migrations import this function, so it keeps its place and its name."""
    return [(process.key, process.label) for process in declared_processes()]


class JobRunQuerySet(models.QuerySet["JobRun"]):
    def active(self) -> Self:
        """Waiting, queued or running."""
        return self.filter(state__in=JobRun.ACTIVE)

    def under_way(self) -> Self:
        """Queued or running: at most one run of a profile and process, or of a subject and process."""
        return self.active().exclude(state=JobRun.State.WAITING)

    def not_begun(self) -> Self:
        """Active, and no page has been read yet."""
        return self.active().exclude(state=JobRun.State.RUNNING).filter(cursor="")

    def for_process(self, process: str) -> Self:
        return self.filter(process=process)

    def startable(self) -> Self:
        """All but orphans: no worker may take a run whose profile was deleted."""
        return self.filter(models.Q(profile__isnull=False) | models.Q(subject__isnull=False))


class JobRun(models.Model):
    """Trigger, state, lease, progress, counters and, where it failed, the error by remedy."""

    of_profile = "profile"

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
        "profiles.IntegrationProfile",
        null=True,
        on_delete=models.SET_NULL,
        related_name="runs",
        help_text="The profile it works for. Empty: it works for a subject, or the profile was deleted.",
    )
    profile_name = models.CharField(
        max_length=80, blank=True, help_text="The profile's name when the run was requested; it outlives the profile."
    )
    subject = models.BigIntegerField(
        null=True, blank=True, help_text="For a process of no profile: the id of what the run is about."
    )
    process = models.CharField(max_length=40, choices=process_choices, help_text="Key of the process that is executed.")
    trigger = models.CharField(max_length=20, choices=Trigger.choices, help_text="What requested the run.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The person who requested the run, or the first run of its chain. Empty: the schedule did.",
    )
    logical_date = models.DateField(null=True, blank=True, help_text="The local date of a scheduled run.")
    state = models.CharField(
        max_length=20, choices=State.choices, default=State.QUEUED, help_text="How far the run has come."
    )
    in_chain = models.BooleanField(default=False, help_text="The next step of the daily refresh follows its success.")
    after = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="followed_by",
        help_text="The run of the step before it in the daily refresh.",
    )

    created_at = models.DateTimeField(help_text="When the run was requested.")
    started_at = models.DateTimeField(null=True, blank=True, help_text="When a worker last took the run.")
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When the run ended, however it ended.")
    not_before = models.DateTimeField(null=True, blank=True, help_text="No worker takes the run before this moment.")
    rung_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was last called for the run.")
    owner = models.CharField(
        max_length=36, blank=True, help_text="Random token of the worker that holds the lease. Empty: nobody does."
    )
    generation = models.PositiveIntegerField(
        default=0, help_text="Counts the leases. A worker writes only while its own number is still the current one."
    )
    heartbeat_at = models.DateTimeField(
        null=True, blank=True, help_text="When the worker last showed that it lives, by the database's clock."
    )
    attempts = models.PositiveIntegerField(
        default=0, help_text="How many workers took the run; pauses that the vendor asked for do not count."
    )
    cancel_requested = models.BooleanField(default=False, help_text="A person asked the run to stop at its next page.")
    accept_drop = models.BooleanField(default=False, help_text="A person confirmed that so many seats may end.")

    cursor = models.TextField(
        blank=True, help_text="The vendor's mark of the next page, from which a new worker goes on."
    )
    cursor_at = models.DateTimeField(null=True, blank=True, help_text="When the cursor was stored.")
    pages = models.PositiveIntegerField(default=0, help_text="Pages read and stored.")
    items = models.PositiveIntegerField(default=0, help_text="Records worked on so far, in the unit of the process.")
    expected_items = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many items there will be at the end, where that is known."
    )
    retries = models.PositiveIntegerField(default=0, help_text="Calls to the vendor that had to be repeated.")
    throttled_seconds = models.FloatField(default=0, help_text="Seconds spent waiting because the vendor asked for it.")
    outages = models.PositiveSmallIntegerField(
        default=0, help_text="How often the run was put back into the queue because of an outage."
    )
    unreadable = models.CharField(
        max_length=32,
        blank=True,
        help_text="Form of the unreadable answer that put the run back, if all answers had the same.",
    )
    step = models.CharField(max_length=120, blank=True, help_text="What the worker does now, in words for the page.")
    counters = models.JSONField(default=dict, help_text="Figures by name; the entry of the process words them.")
    facts = models.JSONField(default=dict, help_text="What the run found that is no number.")
    warnings = models.JSONField(default=list, help_text="Sentences for the page about what a person should know.")

    error_kind = models.CharField(max_length=40, blank=True, help_text="Class of the error that ended the run.")
    error_scope = models.CharField(max_length=120, blank=True, help_text="The scope the vendor said is missing.")
    error_message = models.TextField(blank=True, help_text="What happened, and what it means for the data.")
    error_remedy = models.TextField(blank=True, help_text="What a person can do about it.")
    error_endpoint = models.CharField(max_length=120, blank=True, help_text="The vendor's address that was called.")
    error_status = models.PositiveIntegerField(null=True, blank=True, help_text="HTTP status of the vendor's answer.")
    error_body = models.TextField(blank=True, help_text="Beginning of the vendor's answer, without secrets.")
    error_request_id = models.CharField(
        max_length=120, blank=True, help_text="The vendor's own number of the failed call, for its support."
    )

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
                condition=models.Q(state="running", subject__isnull=False),
                name="run_one_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["process", "subject", "logical_date"],
                condition=models.Q(logical_date__isnull=False, subject__isnull=False),
                name="run_one_per_subject_and_date",
            ),
        ]

    def __str__(self) -> str:
        # The name comes last: one that is written from right to left would turn around what follows it.
        profile = f", {self.profile_name}" if self.profile_name else ""
        return f"{self.get_process_display()} #{self.pk}{profile}"

    def get_absolute_url(self) -> str:
        return reverse("run_detail", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def is_orphan(self) -> bool:
        """Its profile was deleted: it stays as a record, and no worker takes it any more."""
        return self.profile_id is None and self.subject is None

    @property
    def declared(self) -> Any:
        """The entry of its process, a `profiles.jobs.process.Process`, or the stand-in for one of another version."""
        return import_string(FIND_PROCESS)(self.process)

    @property
    def doing(self) -> str:
        """What the run does now, in words for the page."""
        if self.is_active and self.cancel_requested:
            return "Canceling at the next page"
        return self.step or ("Waiting for its turn" if self.state == self.State.QUEUED else "")

    @property
    def unit(self) -> str:
        """What `items` counts."""
        return str(self.declared.unit)

    @property
    def is_total_known(self) -> bool:
        """Whether `expected_items` still tells how many there will be: an estimate may be lower than what came."""
        return bool(self.expected_items) and self.items <= (self.expected_items or 0)

    @property
    def lasted(self) -> float | None:
        """Seconds from the last start to the end, or to the last heartbeat; `None` before the first start."""
        last = self.finished_at or self.heartbeat_at
        return (last - self.started_at).total_seconds() if self.started_at and last else None

    @property
    def rate(self) -> float | None:
        """Items a second since the last start; `None` in the first half second."""
        return self.items / self.lasted if self.lasted and self.lasted >= 0.5 else None
