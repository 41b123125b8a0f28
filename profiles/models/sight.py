"""Limited sight: a group of accounts that may see some profiles only."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse


class LimitedSight(models.Model):
    """Accounts in none of these see everything; an account in several sees what any of them lets it see."""

    name = models.CharField(
        max_length=80,
        unique=True,
        help_text="Such as the company or the region whose profiles they are.",
        error_messages={"unique": "Another limit has this name."},
    )
    profiles = models.ManyToManyField(
        "profiles.IntegrationProfile",
        related_name="+",
        blank=True,
        help_text="All that its accounts see. Without any they see no profile.",
    )
    accounts = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="limited_sights",
        blank=True,
        help_text="Administrators see everything, so they are not offered.",
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "limited sights"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("sight_edit", args=[self.pk])
