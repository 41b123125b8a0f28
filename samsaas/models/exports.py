"""Lists that are written to a file by a run, because they are too long to wait for."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ExportedList(models.Model):
    """A list that somebody asked for as a workbook too long to wait for: what was asked, and the file once written.

    The subject of its run. `query` is that of the list's address; `columns` and `selection` are what it had of the
    person.
    """

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(db_index=True)
    name = models.CharField(max_length=200)
    path = models.CharField(max_length=2000)
    query = models.TextField(blank=True)
    columns = models.JSONField(default=dict)
    selection = models.JSONField(null=True)
    lines = models.PositiveIntegerField(help_text="How many rows it had when it was asked for.")

    def __str__(self) -> str:
        return f"{self.name} of {self.at:%Y-%m-%d}"


class ExportedPiece(models.Model):
    """A piece of the workbook: `samsaas.lib.stored_file`."""

    exported = models.ForeignKey(ExportedList, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["exported", "number"], name="exported_piece_once")]

    def __str__(self) -> str:
        return f"piece {self.number}"
