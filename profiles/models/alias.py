"""Connection & credential aliases: stable names that resolve to a connection and its credentials."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from profiles import connectors


def vendor_choices() -> list[tuple[str, str]]:
    """A callable, so that a new vendor makes no migration."""
    return connectors.choices()


class ConnectionAlias(models.Model):
    """A parent per vendor exists from the start; a child inherits its settings and holds its own credentials."""

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
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "connection & credential alias"
        verbose_name_plural = "connection & credential aliases"
        ordering = ["vendor", "name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="alias_name_unique"),
            models.UniqueConstraint(
                fields=["vendor"], condition=models.Q(parent=None), name="alias_one_parent_per_vendor"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("alias_detail", args=[self.pk])

    @property
    def effective_page_size(self) -> int | None:
        """Own setting, else the parent's; `None` leaves it to the connector."""
        return self.page_size or (self.parent.page_size if self.parent else None)
