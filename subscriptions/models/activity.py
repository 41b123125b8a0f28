"""What is known about the use of a seat: its latest activity, its active days, and which time was read."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models

LATE = timedelta(hours=24)


class LastActivity(models.Model):
    """The latest activity of one seat.

    It has a narrow table of its own because it is rewritten daily; a seat is not.
    """

    class Signal(models.TextChoices):
        EVENT = "event", "Audit event"
        SESSION = "session", "Device session"

    # No constraints in the database, here and below: checking one locks and rewrites the seat of every stored activity.
    # Seats are deleted only with their profile, and these rows with them.
    subscription = models.OneToOneField(
        "subscriptions.Subscription",
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="last_activity",
        db_constraint=False,
    )
    at = models.DateTimeField()
    kind = models.CharField(max_length=80, help_text="The vendor's word for what happened.")
    signal = models.CharField(max_length=8, choices=Signal.choices, default=Signal.EVENT)
    run = models.ForeignKey(
        "profiles.JobRun",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    class Meta:
        verbose_name_plural = "last activities"

    def __str__(self) -> str:
        return f"{self.kind}, {self.at:%Y-%m-%d}"


class ActivityDay(models.Model):
    """How often one seat was used on one UTC day.

    A pull that reads a day again replaces its number. `pull` is the run that counted, so overlapping pulls do not count
    an event twice.
    """

    pk = models.CompositePrimaryKey("subscription_id", "day")
    subscription = models.ForeignKey(
        "subscriptions.Subscription",
        on_delete=models.CASCADE,
        related_name="activity_days",
        db_index=False,
        db_constraint=False,
    )
    day = models.DateField()
    events = models.PositiveIntegerField()
    pull = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {self.events}"


class ActivityCoverage(models.Model):
    """An interval of time whose vendor activity was read to the end: since ≤ t < until.

    Vendors deliver events up to a day late, so only what is a day older than the pull is settled. Time in no interval
    is unknown, never inactive.
    """

    profile = models.ForeignKey("profiles.IntegrationProfile", on_delete=models.CASCADE, related_name="coverage")
    since = models.DateTimeField()
    until = models.DateTimeField()
    run = models.ForeignKey("profiles.JobRun", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)

    class Meta:
        verbose_name_plural = "activity coverage"
        ordering = ["profile", "since"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "since"], name="coverage_one_per_start"),
            models.CheckConstraint(condition=models.Q(until__gt=models.F("since")), name="coverage_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M}"

    @property
    def settled_until(self) -> datetime:
        """No late event is expected before this moment."""
        return max(self.since, self.until - LATE)
