"""What happened, what people want to be told of it, and webhooks with what was sent to them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from samsaas.lib.fields import EncryptedTextField, RowWithSecrets


class Notification(models.Model):
    """Something that happened and may need a person. `samsaas.events` notices it in what is stored, once."""

    of_profile = "profile_key"

    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=120, help_text="What it is about; there is one event of a kind and key.")
    at = models.DateTimeField(db_index=True, help_text="When it happened.")
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    path = models.CharField(max_length=200, help_text="The page about it.")
    profile_key = models.BigIntegerField(
        null=True, db_index=True, help_text="The one integration profile that it is about. Empty: none, or several."
    )
    told = models.BooleanField(default=False, help_text="Whether mails and webhooks were asked for.")

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="notification_once")]
        indexes = [models.Index(fields=["id"], condition=models.Q(told=False), name="notification_untold")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return self.path


class NotificationChoices(models.Model):
    """What a person wants to be told by mail, and up to which event they have read the list."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_choices")
    by_kind = models.JSONField(default=dict, help_text="off, at_once or daily by kind. Missing: as the product has it.")
    any_hour = models.BooleanField("Also at night, on weekends and on quiet days", default=False)
    read_until = models.BigIntegerField(default=0, help_text="The last event of the list when it was marked as read.")
    daily_until = models.BigIntegerField(default=0, help_text="The last event of the last daily mail.")
    daily_on = models.DateField(null=True, help_text="The local date of the last daily mail.")

    class Meta:
        verbose_name = verbose_name_plural = "notification choices"

    def __str__(self) -> str:
        return str(self.user)


class Webhook(RowWithSecrets):
    """An address that is told of events, such as a channel of a chat. Often it is a secret, so it is kept as one."""

    class Style(models.TextChoices):
        SIGNED = "signed", "Signed JSON (Standard Webhooks)"
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"

    name = models.CharField(max_length=80, unique=True)
    style = models.CharField(max_length=10, choices=Style.choices, default=Style.SIGNED)
    host = models.CharField(max_length=255, help_text="The host of the address, which is shown.")
    url = EncryptedTextField()
    secret = EncryptedTextField(blank=True)
    kinds = models.JSONField(default=list, help_text="The kinds of events that it is told of.")
    active = models.BooleanField(default=True)
    stopped_at = models.DateTimeField(null=True, help_text="Switched off by samsaas, because nothing arrived any more.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("webhook_detail", args=[self.pk])


class WebhookCall(models.Model):
    """One event for one webhook, and what was answered. A call without an event is a test."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        ARRIVED = "arrived", "Arrived"
        FAILED = "failed", "Failed"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="calls")
    event = models.ForeignKey(Notification, null=True, on_delete=models.CASCADE, related_name="+")
    number = models.CharField(max_length=36, unique=True, help_text="The receiver gets it again with every try.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    queued_at = models.DateTimeField()
    not_before = models.DateTimeField()
    owner = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True, help_text="The last HTTP status.")
    answer = models.CharField(max_length=300, blank=True, help_text="What was answered last, or why nothing was.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["not_before"], condition=models.Q(state="queued"), name="hook_call_due")]

    def __str__(self) -> str:
        return str(self.event or "Test")
