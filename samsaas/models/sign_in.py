"""Who tried to sign in, sessions, second factors, invitations, and links for a new password."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from samsaas.lib.fields import EncryptedTextField, RowWithSecrets
from samsaas.models.mail import Mail


class FailedSignIns(models.Model):
    """How many sign-ins of one account failed within an hour; the row without an account counts unknown names.

    A row of single sign-on (-1) counts answers of identity providers that were not accepted.
    The audit trail gets an entry for some of them only, so that guessing cannot fill it.
    """

    account_id = models.IntegerField(unique=True, help_text="The account's number; 0 for names that no account has.")
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "failed sign-ins"

    def __str__(self) -> str:
        return f"{self.count} since {self.since:%Y-%m-%d %H:%M:%S}"


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
        TOKEN = "token", "Wrong API tokens from a place within a minute"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=64, blank=True)
    place = models.CharField(max_length=64, blank=True)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "name", "place"], name="guess_count_one_per_key")]

    def __str__(self) -> str:
        return f"{self.count} ({self.get_kind_display()})"


class AccountSession(models.Model):
    """Whose a session is and where it began, so that an account's sessions can be listed and ended.

    `samsaas.sessions` alone writes it. `key` is the session's primary key: the hash of what the browser has.
    """

    key = models.CharField(max_length=40, unique=True)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="open_sessions")
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return f"{self.account_id}: {self.browser}"


class LocalAdministrator(models.Model):
    """An account that `manage.py local_admin` made: it signs in with its password where only single sign-on is left."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.account)


class SecondFactorSecret(RowWithSecrets):
    """What a second factor of django-allauth keeps secret: its own table has only this row's number.

    So these secrets are bound to their row, checked by the doctor, and rotated with all others.
    """

    text = EncryptedTextField()
    stored_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"secret {self.pk}"


class Invitation(models.Model):
    """An account that is offered by mail. The link's token is stored as its hash; it ends when the account is made."""

    email = models.EmailField()
    username = models.CharField(max_length=150)
    roles = models.JSONField(default=list)
    token_hash = models.CharField(max_length=64, unique=True, null=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    mail = models.ForeignKey(Mail, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.email

    def get_absolute_url(self) -> str:
        return reverse("invitation_detail", args=[self.pk])


class PasswordResetRequest(models.Model):
    """Somebody asked for a link to set a new password. It is answered later, so that asking tells nobody anything."""

    email = models.CharField(max_length=254)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["email", "asked_at"], name="reset_by_email")]

    def __str__(self) -> str:
        return f"{self.email} at {self.asked_at:%Y-%m-%d %H:%M:%S}"


class PasswordLink(models.Model):
    """A link to set a new password, as the hash of its token. It ends with the next sign-in and the next password."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    mark = models.CharField(max_length=64, help_text="A hash of the account's password and last sign-in.")
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account} until {self.expires_at:%Y-%m-%d %H:%M:%S}"
