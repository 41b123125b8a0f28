"""Credentials: one per alias and purpose, secrets encrypted, tokens with their granted scopes."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models

from profiles.connectors import base
from samsaas.lib.encryption import UndecryptableValue
from samsaas.lib.fields import EncryptedTextField, RowWithSecrets


class Credential(RowWithSecrets):
    """The app key and secret for one purpose, and the grant that an administrator gave to that app.

    `state_reason` says why there is no grant; while it is connected, why the vendor refuses the client secret.
    `generation` counts every change of key, secret or token, so that a slow refresh cannot overwrite a newer grant.
    `lease_owner` and `lease_until` let one caller at a time refresh the token.
    """

    class Purpose(models.TextChoices):
        SUBSCRIPTIONS = base.SUBSCRIPTIONS, "Subscriptions"
        RECLAMATION = base.RECLAMATION, "Reclamation"

    class State(models.TextChoices):
        NEW = "new", "No token yet"
        CONNECTED = "connected", "Connected"
        NEEDS_AUTHORIZATION = "needs_authorization", "Needs authorization"

    alias = models.ForeignKey("profiles.ConnectionAlias", on_delete=models.CASCADE, related_name="credentials")
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    client_id = models.CharField(max_length=255)
    client_secret = EncryptedTextField()
    client_changed_at = models.DateTimeField()

    state = models.CharField(max_length=20, choices=State.choices, default=State.NEW)
    state_reason = models.CharField(max_length=500, blank=True)
    access_token = EncryptedTextField(blank=True)
    refresh_token = EncryptedTextField(blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    granted_scopes = models.JSONField(default=list, blank=True)
    team_id = models.CharField(max_length=255, blank=True)
    team_name = models.CharField(max_length=255, blank=True)
    admin_external_id = models.CharField(max_length=255, blank=True)
    admin_email = models.CharField(max_length=320, blank=True)
    admin_name = models.CharField(max_length=255, blank=True)
    authorized_at = models.DateTimeField(null=True, blank=True)
    authorized_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    refreshed_at = models.DateTimeField(null=True, blank=True)

    generation = models.PositiveIntegerField(default=0, help_text="Counts every change of key, secret or token.")
    lease_owner = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(
        null=True, blank=True, help_text="The vendor asked not to be called before this time."
    )

    class Meta:
        ordering = ["alias", "-purpose"]
        constraints = [models.UniqueConstraint(fields=["alias", "purpose"], name="credential_one_per_purpose")]

    def __str__(self) -> str:
        return f"{self.alias} ({self.get_purpose_display()})"

    @property
    def is_connected(self) -> bool:
        return self.state == self.State.CONNECTED

    def check_client_secret(self) -> None:
        """Raises `UndecryptableValue` if the stored client secret cannot be used."""
        str(self.client_secret)

    def has_secret(self, secret: str) -> bool:
        """Whether this is the stored client secret. One that cannot be decrypted is no secret that could be used."""
        try:
            return bool(self.client_secret == secret)
        except UndecryptableValue:
            return False

    def expires_within(self, seconds: int, *, now: datetime) -> bool:
        return self.expires_at is None or (self.expires_at - now).total_seconds() < seconds
