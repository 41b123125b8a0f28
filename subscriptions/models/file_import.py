"""What the imports of files have in common: the record of an upload that a job reads and a person confirms."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models


class FileImportQuerySet(models.QuerySet[Any]):
    def get_locked(self, pk: int) -> Any:
        """The import, locked until the transaction ends. Its run is read after that, so it is the current one."""
        return self.select_for_update(no_key=True).get(pk=pk)

    def old_ones(self, before: Any, states: tuple[str, ...], active: tuple[str, ...]) -> Self:
        """Those in one of these states that nobody has gone on with, and no job works on."""
        return self.filter(state__in=states, uploaded_at__lt=before).exclude(run__state__in=active)


class FileImport(models.Model):
    """One uploaded file. A job reads it, a person looks at the preview, then it is applied or discarded.

    A run changes the import in the same transaction that ends the run. So an import that is being read or applied but
    has no active run was interrupted, and nothing of that work is stored.
    """

    class DateOrder(models.TextChoices):
        DAY = "day", "Day first: 3 April is 03/04/2026"
        MONTH = "month", "Month first: 3 April is 04/03/2026"

    READING, PREVIEW, APPLYING = "reading", "preview", "applying"

    file_name = models.CharField(max_length=200)
    run = models.ForeignKey(
        "profiles.JobRun",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The job that works on it, or the last one that did.",
    )
    problem = models.TextField(blank=True, help_text="Why it cannot be read, or why it has to be looked at again.")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    counters = models.JSONField(default=dict)

    state: models.CharField[str, str]
    objects: ClassVar[Any] = FileImportQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.file_name} (#{self.pk})"

    @property
    def at_work(self) -> bool:
        """Whether a job is reading or applying it, or is queued to."""
        busy = self.state in (self.READING, self.APPLYING)
        return busy and self.run is not None and self.run.is_active

    @property
    def waits(self) -> bool:
        """Whether the preview waits for a confirmation, for the first time or after applying it was interrupted."""
        return self.state == self.PREVIEW or (self.state == self.APPLYING and not self.at_work)

    @property
    def broke_off(self) -> bool:
        """Whether reading the file was interrupted."""
        return self.state == self.READING and not self.at_work
