"""What one person chose for their account, and what they typed into a form that was refused."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from samsaas.lib.fields import EncryptedTextField, RowWithSecrets


class PersonalZone(models.Model):
    """The time zone in which a person sees moments. No row: the installation's."""

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    zone = models.CharField(max_length=60)

    def __str__(self) -> str:
        return f"Zone of account {self.pk}"


class KeptSecret(RowWithSecrets):
    """Secrets typed into a form that had an error elsewhere. `samsaas.kept_secrets` alone reads and writes it.

    It is used only by the same account in the same session on the same form, until its time is over.
    """

    token = models.CharField(max_length=64, unique=True, help_text="What the refused form says instead of them.")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    session = models.CharField(max_length=40, help_text="The session's primary key, which is a hash.")
    form = models.CharField(max_length=200, help_text="The form's address.")
    secrets = EncryptedTextField(blank=True, help_text="The fields and what was typed into them, as JSON.")
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"Secrets of {self.form}"
