"""Rules that exclude subscriptions, by seat type or by user. An excluded seat is kept, marked and counted apart."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

from subscriptions.models.person import normalize_address


class Exclusion(models.Model):
    """What both kinds of rules have: the profile they apply to, whether they are on, and the reason."""

    profile = models.ForeignKey(
        "profiles.IntegrationProfile",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Empty: every profile.",
    )
    active = models.BooleanField(default=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True
        ordering = ["pk"]


class IdentifierExclusion(Exclusion):
    """Excludes every subscription of a seat type."""

    identifier = models.ForeignKey(
        "subscriptions.SubscriptionIdentifier",
        on_delete=models.CASCADE,
        related_name="exclusions",
        verbose_name="subscription identifier",
    )

    class Meta(Exclusion.Meta):
        verbose_name = "subscription identifier exclusion rule"

    def __str__(self) -> str:
        return f"Identifier {self.identifier}"

    def get_absolute_url(self) -> str:
        return reverse("identifier_exclusion_edit", args=[self.pk])


class UserExclusion(Exclusion):
    """Excludes subscriptions by their user principal name: one address, a pattern with *, or a whole domain."""

    pattern = models.CharField(
        "user principal name", max_length=320, blank=True, help_text="One address, or a pattern: * stands for anything."
    )
    domain = models.CharField(max_length=255, blank=True, help_text="A whole domain, such as example.com.")

    class Meta(Exclusion.Meta):
        verbose_name = "subscription user exclusion rule"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(pattern="") ^ models.Q(domain=""),
                name="user_exclusion_pattern_or_domain",
                violation_error_message="Give either a user principal name or a domain.",
            )
        ]

    def __str__(self) -> str:
        return f"User {self.pattern or '*@' + self.domain}"

    def get_absolute_url(self) -> str:
        return reverse("user_exclusion_edit", args=[self.pk])

    def clean(self) -> None:
        self.pattern, self.domain = normalize_address(self.pattern), normalize_address(self.domain).lstrip("@")
        if self.pattern and not self.pattern.strip("*@. "):
            raise ValidationError({"pattern": "This would exclude everybody."})
