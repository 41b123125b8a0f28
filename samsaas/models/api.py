"""Tokens of the REST API, and the answers that are kept for calls made twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone


class ApiToken(models.Model):
    """A token with which a program calls the REST API in the name of an account. Only its hash is stored.

    It may do what its account may today, and no more than `role` includes. `window` is the minute in which `calls`
    were made; `samsaas.api.tokens` alone writes these two and the last use.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12, help_text="How the token begins, so that people can tell theirs apart.")
    role = models.CharField(max_length=20)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    last_used_from = models.CharField(max_length=45, blank=True)
    window = models.BigIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_valid(self, now: datetime) -> bool:
        """Whether it opens anything at that moment."""
        return self.revoked_at is None and now < self.expires_at

    @property
    def is_open(self) -> bool:
        """Whether it opens anything now."""
        return self.is_valid(timezone.now())

    @property
    def last_day(self) -> date:
        """The last local day on which it is valid; its end is the beginning of the next one."""
        return timezone.localdate(self.expires_at - timedelta(seconds=1))


class ApiCall(models.Model):
    """What was answered to a call with an `Idempotency-Key`, so that the same call is not carried out again."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="kept_calls", db_index=False)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of address and body.")
    status = models.PositiveSmallIntegerField(default=0)
    answer = models.TextField(blank=True, help_text="As JSON, in the order in which it was sent.")
    at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "API call"
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="api_call_one_per_key")]

    def __str__(self) -> str:
        return f"{self.key} of {self.token}"
