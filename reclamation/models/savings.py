"""What reclaiming saved, as a ledger that is only added to."""

from __future__ import annotations

from django.db import models

from reclamation.models.candidate import RemovalCandidate


class SavingsEntry(models.Model):
    """One line of the ledger. A price that was unknown is filled in once; nothing else is ever changed.

    `on` is a day of the installation's zone. `price` is that of a right and a year on that day.
    """

    class Kind(models.TextChoices):
        FREED = "freed", "Freed"
        RESTORED = "restored", "Restored"
        RETURNED = "returned", "Returned"
        SAVED = "saved", "Saved"
        SAVED_OFFSET = "saved_offset", "Saved, taken back"

    candidate = models.ForeignKey(RemovalCandidate, on_delete=models.PROTECT, related_name="savings", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    quantity = models.SmallIntegerField()
    price = models.DecimalField(max_digits=15, decimal_places=4, null=True)
    amount = models.DecimalField(max_digits=15, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, blank=True)
    on = models.DateField()
    rule_name = models.CharField(max_length=80, blank=True)
    software_model = models.CharField(max_length=400, blank=True)
    profile_name = models.CharField(max_length=80)
    department = models.CharField(max_length=120, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-on", "-pk"]
        verbose_name_plural = "savings entries"
        indexes = [models.Index(fields=["on", "currency"], name="savings_by_day")]
        constraints = [
            models.UniqueConstraint(fields=["candidate", "kind"], name="savings_one_per_kind"),
            models.CheckConstraint(condition=models.Q(quantity__in=(1, -1)), name="savings_quantity_is_one"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.quantity:+} on {self.on}"
