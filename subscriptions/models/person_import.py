"""Uploaded files of people: the import, its lines, and the file itself until it has been read."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.urls import reverse

from subscriptions.models.file_import import FileImport


class PersonImport(FileImport):
    """One uploaded file of people."""

    class State(models.TextChoices):
        READING = "reading", "Being read"
        CHOOSING = "choosing", "A question is open"
        UNREADABLE = "unreadable", "Cannot be read"
        PREVIEW = "preview", "To be confirmed"
        APPLYING = "applying", "Being applied"
        APPLIED = "applied", "Applied"
        DISCARDED = "discarded", "Discarded"

    state = models.CharField(max_length=12, choices=State.choices, default=State.READING)
    mark_leavers = models.BooleanField(
        default=False, help_text="The file lists everybody: people who are missing from it have left."
    )
    fetched = models.BooleanField(
        default=False, help_text="It came by itself from where the deployment settings say, and nobody uploaded it."
    )
    strict = models.BooleanField(default=False, help_text="A cell that cannot be read costs its line.")
    sheet = models.CharField(max_length=200, blank=True, help_text="The sheet of a workbook; empty: the first one.")
    columns = models.JSONField(
        default=dict, blank=True, help_text="Which place each column has in the file, as a person chose it."
    )
    encoding = models.CharField(max_length=10, blank=True, help_text="As a person chose it; empty: it is sure.")
    date_order = models.CharField(max_length=5, blank=True, choices=FileImport.DateOrder.choices)

    class Meta:
        ordering = ["-pk"]

    def get_absolute_url(self) -> str:
        return reverse("person_import_detail", args=[self.pk])

    @property
    def can_choose(self) -> bool:
        """Whether a person may still say how the file is to be read: something is asked, or the file is kept."""
        return self.state == self.State.CHOOSING or (self.waits and bool(self.counters.get("kept")))

    @property
    def seat_changes(self) -> int:
        """How many seats would change their user, or did when it was applied."""
        counted = self.counters.get("seats", {})
        return sum(counted.get(effect, 0) for effect in PersonImportSeat.Effect.values)

    @property
    def would_change(self) -> bool:
        """Whether there is anything to apply."""
        return any(self.counters.get(figure) for figure in ("new", "changed", "back", "leavers"))


class PersonImportLayout(models.Model):
    """How a person said that files with these headings are to be read. The next one is read in the same way."""

    headings = models.CharField(max_length=64, unique=True, help_text="The digest of the headings, in their order.")
    columns = models.JSONField(default=dict, help_text="Which place each column has.")
    date_order = models.CharField(max_length=5, blank=True, choices=FileImport.DateOrder.choices)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "layout of files of people"

    def __str__(self) -> str:
        return f"layout {self.headings[:8]}"


class PersonImportPiece(models.Model):
    """A piece of the uploaded file. It holds personal data, so it is deleted when the file is read or discarded."""

    upload = models.ForeignKey(PersonImport, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="import_piece_once")]

    def __str__(self) -> str:
        return f"piece {self.number}"


class PersonImportRow(models.Model):
    """One line of an uploaded file: what it would change, or why it is refused."""

    class Effect(models.TextChoices):
        NEW = "new", "New"
        CHANGED = "changed", "Changed"
        BACK = "back", "Returned"
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

    @property
    def left_out(self) -> dict[str, str]:
        """What is wrong with the cells that are left out, by column."""
        return self.values.get("left_out") or {}

    @property
    def good_cells(self) -> dict[str, str]:
        """The cells that count."""
        return {column: cell for column, cell in self.values["cells"].items() if column not in self.left_out}


class PersonImportOverlap(models.Model):
    """What a line of a file has in common with somebody else: an e-mail address, or a number that looks the same.

    `others` people have it too; `key` and `name` are those of one of them, if possible of one in the directory.
    """

    class Kind(models.TextChoices):
        ADDRESS = "address", "Same address"
        NUMBER = "number", "Similar number"

    upload = models.ForeignKey(PersonImport, on_delete=models.CASCADE, related_name="overlaps", db_index=False)
    line = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    text = models.CharField(max_length=320)
    others = models.PositiveIntegerField()
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ["line", "kind", "text"]
        constraints = [models.UniqueConstraint(fields=["upload", "line", "kind", "text"], name="import_overlap_once")]

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


class PersonImportSeat(models.Model):
    """A seat whose user would change if the file were applied. Empty texts: nobody."""

    class Effect(models.TextChoices):
        LOSES = "loses", "Loses its user"
        CHANGES = "changes", "Changes its user"
        GAINS = "gains", "Gains a user"

    upload = models.ForeignKey(PersonImport, on_delete=models.CASCADE, related_name="seats", db_index=False)
    subscription = models.ForeignKey("subscriptions.Subscription", on_delete=models.CASCADE, related_name="+")
    effect = models.CharField(max_length=8, choices=Effect.choices)
    before_key = models.CharField(max_length=80, blank=True)
    before_name = models.CharField(max_length=200, blank=True)
    after_key = models.CharField(max_length=80, blank=True)
    after_name = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["upload", "subscription"], name="import_seat_once")]

    def __str__(self) -> str:
        return f"{self.subscription}: {self.get_effect_display()}"

    @property
    def seat(self) -> Any:
        """The seat, named as in `users.compare.SeatChange`: both are shown in one table."""
        return self.subscription
