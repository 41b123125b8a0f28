"""What mends a position: the remedies of a license metric, and what became of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from subscriptions.models.reconciliation import MetricResult


class RemediationOption(models.Model):
    """One way to mend a position, as data. `rank` orders them: what costs nothing comes first."""

    class Kind(models.TextChoices):
        REMOVE_ALLOCATIONS = "remove_allocations", "Remove allocations"
        RECLAIM = "reclaim", "Reclaim subscriptions"
        PURCHASE = "purchase", "Purchase rights"
        CREATE_ALLOCATIONS = "create_allocations", "Create allocations"

    class State(models.TextChoices):
        NEW = "new", "New"
        IN_PROGRESS = "in_progress", "In progress"
        COMPLETE = "complete", "Complete"
        COMPLETED_WITH_ERRORS = "completed_with_errors", "Completed with errors"
        VOID = "void", "Void"

    metric_result = models.ForeignKey(MetricResult, on_delete=models.CASCADE, related_name="options")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    rank = models.PositiveSmallIntegerField()
    rights = models.PositiveBigIntegerField()
    cost = models.DecimalField(max_digits=15, decimal_places=4, null=True, help_text="A year. Empty: not known.")
    currency = models.CharField(max_length=3, blank=True)
    until = models.DateField(null=True, help_text="The latest end of what is in force, to which it could be bought.")
    cost_until = models.DecimalField(max_digits=15, decimal_places=4, null=True, help_text="From the day until then.")
    affects_compliance = models.BooleanField()
    state = models.CharField(max_length=24, choices=State.choices, default=State.NEW)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    applied_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True)
    reference = models.CharField(max_length=40, blank=True, help_text="Number of what the applying made.")

    class Meta:
        ordering = ["metric_result", "rank"]
        constraints = [models.UniqueConstraint(fields=["metric_result", "kind"], name="option_once_per_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.rights}"
