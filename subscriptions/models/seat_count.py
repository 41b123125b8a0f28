"""Seats of a profile as home and its charts need them, counted when facts change: a page never counts every seat."""

from __future__ import annotations

from django.db import models


class SeatCount(models.Model):
    """How many listed seats of one seat type a profile has, by what is asked of them.

    `counts` has a number for every name of `subscriptions.seat_counts.count`. A name without any seat may be missing.
    """

    profile = models.ForeignKey("profiles.IntegrationProfile", on_delete=models.CASCADE, related_name="+")
    identifier = models.ForeignKey("subscriptions.SubscriptionIdentifier", on_delete=models.CASCADE, related_name="+")
    counts = models.JSONField()

    class Meta:
        ordering = ["profile", "identifier"]
        constraints = [models.UniqueConstraint(fields=["profile", "identifier"], name="seat_count_unique")]

    def __str__(self) -> str:
        return f"{self.profile_id}, {self.identifier_id}"


class SeatCounting(models.Model):
    """When the seats of a profile were counted last. `claimed_until`: somebody counts them now."""

    profile = models.OneToOneField(
        "profiles.IntegrationProfile", primary_key=True, on_delete=models.CASCADE, related_name="seat_counting"
    )
    counted_at = models.DateTimeField(null=True)
    day = models.DateField(null=True, help_text="The local day of the count. On another one it has to be made anew.")
    claimed_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.profile_id}: {self.counted_at}"


class SeatsChanged(models.Model):
    """A mark: facts of the seats of a profile have changed since they were counted.

    A row for each change, since one row that everybody updates would make a press of a button wait for a download.
    """

    profile = models.ForeignKey("profiles.IntegrationProfile", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "seats changed"

    def __str__(self) -> str:
        return f"{self.profile_id}: {self.at}"
