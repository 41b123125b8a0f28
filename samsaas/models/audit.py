"""The audit trail and the chain of its seals. The database refuses to change either."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class AuditEntry(models.Model):
    """One action of a person or of the system. `detail` never contains a secret.

    Nobody changes or deletes an entry: triggers of the database refuse it (`samsaas.lib.append_only`). So the actor is
    stored as plain values and not as a foreign key, which would have to change when the account is deleted.
    """

    at = models.DateTimeField(db_index=True)
    actor_id = models.IntegerField(null=True, help_text="The account's number; it stays when the account is deleted.")
    actor_name = models.CharField(max_length=150, help_text="Kept when the account is deleted; empty for the system.")
    verb = models.CharField(max_length=60, db_index=True)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    object_name = models.CharField(max_length=255)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["actor_name"], name="audit_by_actor"),
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name or 'system'} {self.verb} {self.object_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise TypeError("Audit entries are append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Audit entries are append-only.")


class AuditSeal(models.Model):
    """One link of the chain over the audit trail: which entries there were, what they said, and the link before.

    `samsaas.sealing` makes and checks it. Nobody changes or deletes a seal, as with entries.
    """

    number = models.PositiveBigIntegerField(unique=True, help_text="Its place in the chain, from 1 on.")
    at = models.DateTimeField(db_index=True)
    until_pk = models.BigIntegerField(
        "until entry", help_text="Every entry up to this number is sealed, here or in an earlier seal."
    )
    late_ids = models.JSONField(
        default=list, help_text="Smaller numbers, of entries that were committed after the seal before."
    )
    count = models.PositiveIntegerField(help_text="How many entries it seals.")
    digests = models.TextField(blank=True, help_text="A line for each of them: its number and its SHA-256.")
    purged = models.JSONField(null=True, help_text="What a purge deleted. Empty: no purge.")
    # Two workers that seal at the same moment name the same seal before theirs, and only one of them is stored.
    previous = models.CharField(max_length=64, unique=True, help_text="The hash of the seal before. Empty: the first.")
    hash = models.CharField(max_length=64, unique=True)
    key_id = models.CharField(max_length=16)
    signature = models.CharField(max_length=128)

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"Seal {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise TypeError("Audit seals are append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Audit seals are append-only.")
