"""Reports that are mailed on a schedule, and who gets them. They need no account here."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from samsaas.models.mail import Mail


class Report(models.Model):
    """What is reported, and on which days. `samsaas.reports.send` alone writes when it was sent."""

    class Kind(models.TextChoices):
        POSITION = "position", "License position"
        SAVINGS = "savings", "Savings"
        CHARGEBACK = "chargeback", "Chargeback by cost center"

    class Every(models.TextChoices):
        WEEK = "week", "Every week"
        MONTH = "month", "Every month"

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField("what", max_length=12, choices=Kind.choices)
    every = models.CharField("how often", max_length=6, choices=Every.choices, default=Every.MONTH)
    weekday = models.PositiveSmallIntegerField(
        "day of the week",
        choices=Weekday.choices,
        default=Weekday.MONDAY,
        help_text="Only where it is sent every week.",
    )
    month_day = models.PositiveSmallIntegerField(
        "day of the month",
        choices=[(day, str(day)) for day in range(1, 29)],
        default=1,
        help_text="Only where it is sent every month.",
    )
    active = models.BooleanField(default=True, help_text="Off: it is not sent, and not made up for later.")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    settled_on = models.DateField(null=True, help_text="The local date up to which it was sent or was off.")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("report_detail", args=[self.pk])

    @property
    def days(self) -> str:
        """On which days it is sent, for a reader."""
        weekly = self.every == self.Every.WEEK
        return f"Every {self.get_weekday_display()}" if weekly else f"Day {self.month_day} of every month"


class ReportRecipient(models.Model):
    """An address that gets a report, until somebody there opens the link and stops it."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="recipients")
    address = models.CharField(max_length=320)
    stopped_at = models.DateTimeField(null=True, help_text="Whoever reads it there does not want it any more.")
    mail = models.ForeignKey(Mail, null=True, on_delete=models.SET_NULL, related_name="+", help_text="The last one.")

    class Meta:
        ordering = ["address"]
        constraints = [models.UniqueConstraint(fields=["report", "address"], name="report_once_per_address")]

    def __str__(self) -> str:
        return self.address
