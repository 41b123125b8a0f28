"""What a subscription was before: the former values of the facts that a license position rests on."""

from __future__ import annotations

from django.db import models

from subscriptions.models.subscription import Subscription


class SubscriptionVersion(models.Model):
    """Former values of a seat, which stood from `since` up to `until`. The present ones are in the seat's own row.

    Only values that stood at the end of a local day are kept, so a first download leaves none. `subscriptions.history`
    alone writes them, and nothing changes them afterwards.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="versions", db_index=False)
    since = models.DateTimeField()
    until = models.DateTimeField(help_text="The moment at which another value began.")
    identifier = models.ForeignKey(
        "subscriptions.SubscriptionIdentifier", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    status = models.CharField(max_length=12, choices=Subscription.Status.choices)
    consumes_license = models.BooleanField()
    excluded = models.BooleanField()
    # No constraint in the database, which would have to look through all versions for everybody who is deleted.
    person = models.ForeignKey(
        "subscriptions.Person",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    listed = models.BooleanField(help_text="Whether the vendor listed it.")

    class Meta:
        ordering = ["subscription", "since"]
        verbose_name = "former values of a subscription"
        verbose_name_plural = "former values of subscriptions"
        indexes = [
            models.Index(fields=["subscription", "until"], name="version_by_seat"),
            models.Index(fields=["identifier", "since", "until"], name="version_by_identifier"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(since__lt=models.F("until")), name="version_ends_after_it_began")
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}"
