"""Which reminders of a renewal were sent, so that each is sent once."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from samsaas.models import Mail
from subscriptions.models.entitlement import Entitlement


class RenewalReminder(models.Model):
    """One reminder to one account that the vendor must soon know of a reduction.

    There is a row without an account where nobody could be written to. A renewal whose day was corrected is reminded of
    anew, because `reduce_by` is part of what there is one of.
    """

    entitlement = models.ForeignKey(Entitlement, on_delete=models.CASCADE, related_name="reminders", db_index=False)
    reduce_by = models.DateField(help_text="The day of which it reminded.")
    days_before = models.PositiveSmallIntegerField(help_text="Which of the reminders it was: 60, 30, 14, 7 or 1.")
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    mail = models.ForeignKey(Mail, null=True, on_delete=models.SET_NULL, related_name="renewal_reminders")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["entitlement", "reduce_by", "days_before", "account"], name="renewal_reminder_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.days_before} days before {self.reduce_by}"
