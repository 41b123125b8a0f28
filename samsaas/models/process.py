"""Heartbeats of background processes, and steps of home that were ticked off."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


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


class ChecklistTick(models.Model):
    """A step after the first connection that a person ticked off on home, because nothing more is to do."""

    key = models.CharField(max_length=20, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
