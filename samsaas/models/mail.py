"""The outbox: every mail, from being queued to how it ended."""

from __future__ import annotations

from django.db import models

from samsaas.lib.fields import EncryptedTextField, RowWithSecrets


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
    opens_account = models.BooleanField(
        default=False, help_text="Whoever has its link gets an account, so only administrators see a kept one."
    )
    one_click = models.BooleanField(
        default=False, help_text="Its link stops such mails, so mail programs offer it as a button beside the sender."
    )
    tries = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    attachment_name = models.CharField(max_length=80, blank=True)
    attachment = models.TextField(blank=True, help_text="A file of text that is sent with it.")
    kept = models.BooleanField(
        default=False, help_text="There was no mail server: it was kept here instead of being sent."
    )
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "queued_at"], name="mail_by_state")]

    def __str__(self) -> str:
        return f"{self.subject} ({self.get_state_display()})"
