"""Authorizations: one row per press of Get OAuth Token, which the vendor's answer has to match, and how it ended."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from profiles.models.credential import Credential
from samsaas.lib.fields import EncryptedTextField, RowWithSecrets


class OAuthState(RowWithSecrets):
    """A single-use state that expires after ten minutes. It is bound to session, user, profile, purpose and client id.

    `outcome` is a key of `oauth.outcomes.OUTCOMES`; empty until the vendor has answered.
    """

    state_hash = models.CharField(max_length=64, unique=True)
    session_hash = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    profile = models.ForeignKey("profiles.IntegrationProfile", on_delete=models.CASCADE, related_name="authorizations")
    purpose = models.CharField(max_length=20, choices=Credential.Purpose.choices)
    client_id = models.CharField(max_length=255)
    token_url = models.CharField(max_length=500)
    redirect_uri = models.CharField(max_length=500)
    verifier = EncryptedTextField(blank=True)
    scopes = models.JSONField(default=list)
    popup = models.BooleanField(default=False)
    replace_team = models.BooleanField(default=False)
    share_team = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=40, blank=True)
    outcome_detail = models.JSONField(default=dict)

    class Meta:
        verbose_name = "authorization"

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} authorization of {self.profile}"
