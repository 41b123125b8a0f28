"""Uploaded files of people: one import, its lines as they were read, and, until then, the file itself."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse


class PersonImportQuerySet(models.QuerySet["PersonImport"]):
    def get_locked(self, pk: int) -> PersonImport:
        """One import, locked until the transaction ends. Its run is read afterwards, as the last holder left it."""
        return self.select_for_update(no_key=True).get(pk=pk)


class PersonImport(models.Model):
    """One uploaded file of people: read first, then looked at, then applied or thrown away.

    What a run does to it ends in one transaction with that run. So a state in which it is worked on, without an active
    run, means that the work broke off and nothing of it is there.
    """

    class State(models.TextChoices):
        READING = "reading", "Being read"
        UNREADABLE = "unreadable", "Cannot be read"
        PREVIEW = "preview", "To be confirmed"
        APPLYING = "applying", "Being applied"
        APPLIED = "applied", "Applied"
        DISCARDED = "discarded", "Thrown away"

    file_name = models.CharField(max_length=200)
    state = models.CharField(max_length=12, choices=State.choices, default=State.READING)
    run = models.ForeignKey(
        "profiles.JobRun",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The job that works on it, or did last.",
    )
    problem = models.TextField(blank=True, help_text="Why it cannot be read, or has to be looked at once more.")
    mark_leavers = models.BooleanField(
        default=False, help_text="The file lists everybody: whoever is missing has left."
    )
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    counters = models.JSONField(default=dict)

    objects = PersonImportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.file_name} (#{self.pk})"

    def get_absolute_url(self) -> str:
        return reverse("person_import_detail", args=[self.pk])

    @property
    def at_work(self) -> bool:
        """A job reads or applies it, or will."""
        busy = self.state in (self.State.READING, self.State.APPLYING)
        return busy and self.run is not None and self.run.is_active

    @property
    def waits(self) -> bool:
        """The preview is there to be confirmed, for the first time or because applying it broke off."""
        return self.state == self.State.PREVIEW or (self.state == self.State.APPLYING and not self.at_work)

    @property
    def would_change(self) -> bool:
        """There is something to apply."""
        return any(self.counters.get(figure) for figure in ("new", "changed", "back", "leavers"))

    @property
    def broke_off(self) -> bool:
        """The file was not read to its end."""
        return self.state == self.State.READING and not self.at_work


class PersonImportPiece(models.Model):
    """A piece of the uploaded file. Personal data: the pieces go when the file is read or thrown away."""

    upload = models.ForeignKey(PersonImport, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="import_piece_once")]

    def __str__(self) -> str:
        return f"piece {self.number}"


class PersonImportRow(models.Model):
    """One line of an uploaded file: what would be stored, or what is wrong with it."""

    class Effect(models.TextChoices):
        NEW = "new", "New"
        CHANGED = "changed", "Changed"
        BACK = "back", "Back"
        SAME = "same", "Unchanged"
        REFUSED = "refused", "Refused"

    upload = models.ForeignKey(PersonImport, on_delete=models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()
    effect = models.CharField(max_length=8, choices=Effect.choices)
    key = models.CharField(max_length=80, blank=True)
    values = models.JSONField(default=dict)
    problem = models.CharField(max_length=2000, blank=True)
    unknown_manager = models.BooleanField(
        default=False, help_text="Nobody has the manager’s number, in the directory or in the file."
    )

    class Meta:
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["upload", "line"], name="import_row_once")]

    def __str__(self) -> str:
        return f"line {self.line}"
