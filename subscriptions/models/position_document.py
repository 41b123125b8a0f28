"""What was signed of a reconciliation, word for word, so that a later change can be named and not only noticed."""

from __future__ import annotations

from django.db import models


class PositionDocument(models.Model):
    """The text that `ReconciliationRun.signature` signs: question, inputs, totals and figures. Never changed."""

    run = models.OneToOneField(
        "subscriptions.ReconciliationRun", primary_key=True, on_delete=models.CASCADE, related_name="document"
    )
    text = models.TextField()

    def __str__(self) -> str:
        return f"What was signed of {self.run_id}"
