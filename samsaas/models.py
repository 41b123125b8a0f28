"""The project's own tables: the audit trail and its seals, heartbeats of processes, and counts of wrong passwords."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from samsaas.lib.fields import EncryptedTextField, RowWithSecrets


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


class FailedSignIns(models.Model):
    """How many sign-ins of one account failed within an hour; the row without an account counts unknown names.

    The audit trail gets an entry for some of them only, so that guessing cannot fill it.
    """

    account_id = models.IntegerField(unique=True, help_text="The account's number; 0 for names that no account has.")
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "failed sign-ins"

    def __str__(self) -> str:
        return f"{self.count} since {self.since:%Y-%m-%d %H:%M:%S}"


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


class GuessCount(models.Model):
    """How many attempts with a wrong password came in a row; `samsaas.guessing` alone reads and writes it.

    `name` and `place` are hashes. `name` is that of an account's name or of a session's key. A session has two rows,
    and the one with a `place` counts the new passwords that were tried in it.
    """

    class Kind(models.TextChoices):
        PAIR = "pair", "A name from a place"
        PLACE = "place", "A place"
        NAME = "name", "A name from anywhere"
        SESSION = "session", "A session"
        KNOWN = "known", "A place from which the name has signed in"
        LINK = "link", "Links opened from a place within a minute"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=64, blank=True)
    place = models.CharField(max_length=64, blank=True)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "name", "place"], name="guess_count_one_per_key")]

    def __str__(self) -> str:
        return f"{self.count} ({self.get_kind_display()})"


class Mail(RowWithSecrets):
    """One mail in the outbox: the only queue of mails. `samsaas.outbox` alone sends it and changes its state.

    `body` has `LINK` where the link stands. The link's token is in `secret` until the mail is sent, or, where mails are
    only kept in the outbox, until the link ends. It is never shown in any list.
    """

    LINK = "[link]"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    to = models.CharField(max_length=320)
    subject = models.CharField(max_length=255)
    body = models.TextField()
    secret = EncryptedTextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    queued_at = models.DateTimeField()
    not_before = models.DateTimeField(help_text="It is not sent before this moment.")
    give_up_at = models.DateTimeField(help_text="Not sent by then, it has failed.")
    any_hour = models.BooleanField(default=False, help_text="Sent at once, also at night and on a weekend.")
    tries = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    kept = models.BooleanField(
        default=False, help_text="There was no mail server: it was kept here instead of being sent."
    )
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "queued_at"], name="mail_by_state")]

    def __str__(self) -> str:
        return f"{self.subject} ({self.get_state_display()})"


class ChecklistTick(models.Model):
    """A step after the first connection that a person ticked off on home, because nothing more is to do."""

    key = models.CharField(max_length=20, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
