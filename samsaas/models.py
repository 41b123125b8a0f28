"""The project's own tables: the audit trail, and the heartbeats of its processes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """One action of a person or of the system. Entries are never changed, and `detail` never contains a secret."""

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150, help_text="Kept when the account is deleted; empty for the system.")
    verb = models.CharField(max_length=60, db_index=True)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    object_name = models.CharField(max_length=255)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["actor_name"], name="audit_by_actor")]

    def __str__(self) -> str:
        return f"{self.actor_name or 'system'} {self.verb} {self.object_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise TypeError("Audit entries are append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Audit entries are append-only.")


class Heartbeat(models.Model):
    """When a background process last reported, by the database's clock."""

    WORKER, BEAT = "worker", "beat"
    SWEEP = "sweep"  # reported by the task that the beat sends and a worker runs
    MOST_SILENCE = timedelta(minutes=2)

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"

    @classmethod
    def record(cls, name: str) -> None:
        """Store that the process works now."""
        cls.objects.update_or_create(name=name, defaults={"at": Now()})

    @classmethod
    def silences(cls) -> dict[str, timedelta]:
        """How long each process has been silent; one that never reported is missing."""
        reported = cls.objects.annotate(now=Now()).values_list("name", "at", "now")
        return {name: max(now - at, timedelta()) for name, at, now in reported}
