"""Software models: the publisher, product and edition that subscriptions and entitlements meet on."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.urls import reverse

from profiles.models.alias import vendor_choices
from samsaas.lib import money


class SoftwareModelQuerySet(models.QuerySet["SoftwareModel"]):
    def with_name(self, publisher: str, product: str, edition: str) -> Self:
        """Models of this name, without regard to case: people and vendors write it differently."""
        return self.filter(publisher__iexact=publisher, product__iexact=product, edition__iexact=edition)

    def find_or_make(self, publisher: str, product: str, edition: str) -> SoftwareModel:
        """The oldest model of this name, or a new one."""
        found = self.with_name(publisher, product, edition).order_by("pk").first()
        return found or self.get_or_create(publisher=publisher, product=product, edition=edition)[0]


def display_name(publisher: str, product: str, edition: str) -> str:
    """How people call a software model. "Acme Mail" of the publisher "Acme" is not called "Acme Acme Mail".

    Otherwise as ServiceNow does: publisher, product and edition.
    """
    named = product if product.startswith(publisher) else f"{publisher} {product}"
    return f"{named} {edition}".strip()


class SoftwareModel(models.Model):
    """A product in one edition. It is created automatically when a download first lists a seat of it."""

    PARTS = ("publisher", "product", "edition")

    publisher = models.CharField(max_length=120)
    product = models.CharField(max_length=120)
    edition = models.CharField(max_length=120, blank=True)
    under_management = models.BooleanField(
        "license under management",
        default=True,
        help_text="Off: subscriptions are listed, but never reconciled or reclaimed.",
    )
    cost_override = models.DecimalField(
        "override license cost",
        max_digits=15,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Per license and year. Empty: the cost in the entitlements.",
    )
    currency = models.CharField(max_length=3, blank=True, choices=money.currencies)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SoftwareModelQuerySet.as_manager()

    class Meta:
        ordering = ["publisher", "product", "edition"]
        constraints = [
            models.UniqueConstraint(fields=["publisher", "product", "edition"], name="software_model_unique"),
            models.CheckConstraint(
                condition=models.Q(cost_override=None) | ~models.Q(currency=""),
                name="software_model_cost_has_currency",
                violation_error_message="A cost needs its currency.",
            ),
        ]

    def __str__(self) -> str:
        return display_name(self.publisher, self.product, self.edition)

    def get_absolute_url(self) -> str:
        return reverse("software_model_detail", args=[self.pk])

    @property
    def yearly_cost(self) -> Decimal | None:
        """The override as people write it."""
        return None if self.cost_override is None else money.trim(self.cost_override)

    @property
    def parts(self) -> tuple[str, str, str]:
        return self.publisher, self.product, self.edition


class SubscriptionIdentifier(models.Model):
    """The vendor's name for a seat type or plan. Without a software model it is unrecognized."""

    vendor = models.CharField(max_length=40, choices=vendor_choices)
    identifier = models.CharField(max_length=120)
    software_model = models.ForeignKey(
        SoftwareModel, null=True, blank=True, on_delete=models.SET_NULL, related_name="identifiers"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["vendor", "identifier"]
        constraints = [models.UniqueConstraint(fields=["vendor", "identifier"], name="identifier_unique")]

    def __str__(self) -> str:
        return self.identifier

    def get_absolute_url(self) -> str:
        return reverse("identifier_detail", args=[self.pk])
