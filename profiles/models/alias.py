"""Connection & credential aliases: the named holders of connection settings and credentials."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from profiles import connectors


def vendor_choices() -> list[tuple[str, str]]:
    """A callable, so that a new vendor needs no migration."""
    return connectors.choices()


class ConnectionAlias(models.Model):
    """Every vendor has one parent alias. A child inherits its parent's settings and holds its own credentials."""

    name = models.CharField(
        max_length=80, validators=[RegexValidator(r"^\w+$", "Use letters, digits and underscores only.")]
    )
    vendor = models.CharField(max_length=40, choices=vendor_choices)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    page_size = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="Records per call. Empty: the parent's, or the connector's own default.",
    )
    requests_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(6000)],
        help_text="Calls per minute. Empty: the parent's, or unlimited.",
    )
    attempts = models.PositiveIntegerField(
        "attempts per call",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="How many times a failing call is tried in all. Empty: the parent's, or the connector's own default.",
    )
    refresh_at = models.TimeField(
        "daily refresh at", null=True, blank=True, help_text="Local time. Empty: the parent's, or the installation's."
    )
    zone = models.CharField(
        "time zone",
        max_length=60,
        blank=True,
        help_text="Such as Europe/Berlin. Empty: the parent's, or the installation's.",
    )
    reclaim_quota = models.PositiveIntegerField(
        "removals without a second person",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="Per team in 24 hours and in 7 days. Empty: the parent's, or a twentieth of the licenses.",
    )
    reclaim_ceiling = models.PositiveIntegerField(
        "removals in 7 days at most",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text="Per team; never more than a fifth of the licenses. Empty: the parent's, or that fifth.",
    )
    version = models.PositiveIntegerField(
        default=1, help_text="Counts every change, also of its client ids and secrets."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    SETTINGS = ("page_size", "requests_per_minute", "attempts", "refresh_at", "zone")
    LIMITS = ("reclaim_quota", "reclaim_ceiling")  # changed on a page of their own, by an administrator

    class Meta:
        verbose_name = "connection & credential alias"
        verbose_name_plural = "connection & credential aliases"
        ordering = ["vendor", "name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="alias_name_unique", violation_error_message="Another alias has this name."
            ),
            models.UniqueConstraint(
                fields=["vendor"],
                condition=models.Q(parent=None),
                name="alias_one_parent_per_vendor",
                violation_error_message="This vendor already has its parent alias.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("alias_detail", args=[self.pk])

    def effective_setting(self, setting: str) -> Any:
        """One of `SETTINGS` or `LIMITS`: the alias's own value, else its parent's.

        `None` means the default of connector or installation.
        """
        own = getattr(self, setting)
        if own not in (None, ""):
            return own
        inherited = getattr(self.parent, setting) if self.parent else None
        return inherited if inherited != "" else None
