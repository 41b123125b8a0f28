"""What is known about the use of a seat: its latest activity, its active days, and which time was read."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models

from subscriptions.models.vendor_moment import VendorMomentField

# Vendors promise their events within a day; events up to three days late were seen. Every pull reads that much again.
LATE = timedelta(hours=72)


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
    at = VendorMomentField()
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
    """How often one seat was used on one UTC day: the larger of `events` and `earlier`.

    A pull that reads a day again counts it again. `pull` is the reading that counted `events`, so overlapping pulls do
    not count an event twice; `earlier` is the most that a reading before it counted, so that a log that comes up short
    takes nothing away. A day without events is one on which a device session was last used. Days are kept for 400 days.
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
    earlier = models.PositiveIntegerField(default=0, db_default=0)
    pull = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {max(self.events, self.earlier)}"


class ActivityCoverage(models.Model):
    """An interval of time whose log of one team was read to a believable end: since ≤ t < until.

    It vouches only for seats that were known by `known_by`: what the log holds of others went to nobody when it was
    read. Events arrive late, so only what is 72 hours older than the pull is settled. Time in no interval is unknown,
    never inactive.
    """

    of_profile = "profile"

    profile = models.ForeignKey("profiles.IntegrationProfile", on_delete=models.CASCADE, related_name="coverage")
    team_id = models.CharField(max_length=255, help_text="The vendor's id of the team whose log was read.")
    since = models.DateTimeField()
    until = models.DateTimeField()
    known_by = models.DateTimeField(help_text="Seats that were known by then had all of this time read for them.")
    run = models.ForeignKey("profiles.JobRun", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)

    class Meta:
        verbose_name_plural = "activity coverage"
        ordering = ["profile", "since"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "team_id", "since"], name="coverage_one_per_start"),
            models.CheckConstraint(condition=models.Q(until__gt=models.F("since")), name="coverage_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M}"

    @property
    def settled_until(self) -> datetime:
        """No late event is expected before this moment."""
        return max(self.since, self.until - LATE)


class ReadDay(models.Model):
    """How many events of use the log of a team held on one UTC day when it was last read to a believable end.

    A later reading is compared with it: a log that suddenly holds much less is not believed.
    """

    pk = models.CompositePrimaryKey("profile_id", "team_id", "day")
    profile = models.ForeignKey(
        "profiles.IntegrationProfile", on_delete=models.CASCADE, related_name="read_days", db_index=False
    )
    team_id = models.CharField(max_length=255)
    day = models.DateField()
    events = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {self.events}"


class NameInLog(models.Model):
    """The digest of an account id or address by which alone the log of a team named whose some use was.

    If a seat gets that name later, or another one loses it, the log has to be read again.
    """

    pk = models.CompositePrimaryKey("profile_id", "team_id", "digest")
    profile = models.ForeignKey(
        "profiles.IntegrationProfile", on_delete=models.CASCADE, related_name="names_in_log", db_index=False
    )
    team_id = models.CharField(max_length=255)
    digest = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.digest
