"""Uploaded files of entitlements: the import, its lines, and the file itself until it was applied or discarded."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from subscriptions.models.file_import import FileImport


class EntitlementImport(FileImport):
    """One uploaded file of entitlements. Where its headings are not known, a person says which column is which."""

    class State(models.TextChoices):
        READING = "reading", "Being read"
        CHOOSING = "choosing", "Columns to be chosen"
        UNREADABLE = "unreadable", "Cannot be read"
        PREVIEW = "preview", "To be confirmed"
        APPLYING = "applying", "Being applied"
        APPLIED = "applied", "Applied"
        DISCARDED = "discarded", "Discarded"

    class DecimalSign(models.TextChoices):
        POINT = ".", "A point: 1,234.50"
        COMMA = ",", "A comma: 1.234,50"

    state = models.CharField(max_length=12, choices=State.choices, default=State.READING)
    sheet = models.CharField(max_length=200, blank=True, help_text="The sheet of a workbook; empty: the first one.")
    columns = models.JSONField(
        default=dict, blank=True, help_text="Which place each field has in the file, as a person chose it."
    )
    date_order = models.CharField(max_length=5, blank=True, choices=FileImport.DateOrder.choices)
    decimal_sign = models.CharField(max_length=1, blank=True, choices=DecimalSign.choices)
    good_lines = models.BooleanField(
        default=False, help_text="Refused lines are left out, and the others are imported."
    )

    class Meta:
        ordering = ["-pk"]

    def get_absolute_url(self) -> str:
        return reverse("entitlement_import_detail", args=[self.pk])

    @property
    def can_choose(self) -> bool:
        """Whether a person may still say which column is which."""
        return self.state == self.State.CHOOSING or self.waits

    @property
    def would_change(self) -> bool:
        """Whether there is anything to import."""
        return bool(self.counters.get("new"))


class EntitlementImportPiece(models.Model):
    """A piece of the uploaded file. It is deleted when the file is applied or discarded."""

    upload = models.ForeignKey(EntitlementImport, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="entitlement_piece_once")]

    def __str__(self) -> str:
        return f"piece {self.number}"


class EntitlementImportRow(models.Model):
    """One line of an uploaded file: the draft it would become, the entitlement it is already, or why it is refused.

    `values` has the `cells` as they are shown and the `parsed` fields; `note` is what a person should look at.
    """

    class Effect(models.TextChoices):
        NEW = "new", "New"
        SAME = "same", "Recorded already"
        REFUSED = "refused", "Refused"

    upload = models.ForeignKey(EntitlementImport, on_delete=models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()
    effect = models.CharField(max_length=8, choices=Effect.choices)
    name = models.CharField(max_length=400, blank=True, help_text="Publisher, product and edition, as they are shown.")
    values = models.JSONField(default=dict)
    problem = models.CharField(max_length=2000, blank=True)
    note = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["upload", "line"], name="entitlement_row_once")]

    def __str__(self) -> str:
        return f"line {self.line}"
