"""What a reconciliation found: the run, and below it products, software models, license metrics, groups and seats."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from subscriptions.models.entitlement import Entitlement
from subscriptions.models.software import display_name

CANCELED = "It was canceled. The results of before stand."


class PositionGroup(models.TextChoices):
    """By what a position may be divided. It changes no figure: the licenses of a team are one pool."""

    NONE = "none", "None"
    DEPARTMENT = "department", "Department"
    COST_CENTER = "cost_center", "Cost center"
    COUNTRY = "country", "Country"


class ComplianceStatus(models.TextChoices):
    COMPLIANT = "compliant", "Compliant"
    NOT_COMPLIANT = "not_compliant", "Not compliant"
    NOT_ENTITLED = "not_entitled", "No entitlement"


class ReconciliationRun(models.Model):
    """One question to the reconciliation, and how it was answered. `JobRun.subject` is its key."""

    class State(models.TextChoices):
        IN_PROGRESS = "in_progress", "In progress"
        COMPLETED = "completed", "Completed"
        PARTIALLY_COMPLETED = "partially_completed", "Partially completed"
        FAILED = "failed", "Failed"

    run = models.ForeignKey(
        "profiles.JobRun", null=True, on_delete=models.SET_NULL, related_name="+", help_text="The job that answers it."
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    scheduled_on = models.DateField(
        null=True, unique=True, help_text="The local date of a scheduled run, of which there is one."
    )
    question_date = models.DateField(null=True, help_text="As of the end of this day. Empty: as of now.")
    publishers = models.JSONField(default=list, help_text="Names of publishers. Empty: all.")
    software_model = models.ForeignKey(
        "subscriptions.SoftwareModel",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text="The one software model it is about. Empty: all of the publishers.",
    )
    group = models.CharField(max_length=12, choices=PositionGroup.choices, default=PositionGroup.NONE)
    subgroup = models.CharField(max_length=12, choices=PositionGroup.choices, default=PositionGroup.NONE)
    scope_key = models.CharField(max_length=120, help_text="Equal for equal questions.")
    state = models.CharField(max_length=20, choices=State.choices, default=State.IN_PROGRESS)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True, help_text="Why it failed, or which publishers did.")
    figures = models.JSONField(default=dict, help_text="Listed, counted, aside by kind, drift and totals.")
    inputs = models.JSONField(default=dict, help_text="What it rests on, and how old that is.")
    signature = models.TextField(blank=True, help_text="Ed25519 over results and inputs. Empty: there was no key.")
    key_id = models.CharField(max_length=16, blank=True)
    ask_again = models.BooleanField(
        default=False, help_text="Something it rests on changed after it had begun: the same is asked once more."
    )
    kept = models.BooleanField(default=False, help_text="A person keeps its seats as well, not only its figures.")

    class Meta:
        ordering = ["-pk"]
        verbose_name = "reconciliation"
        indexes = [models.Index(fields=["scope_key", "-id"], name="reconciliation_by_scope")]
        constraints = [
            models.UniqueConstraint(
                fields=["scope_key"], condition=models.Q(finished_at=None), name="reconciliation_one_open_per_scope"
            ),
            models.CheckConstraint(
                condition=models.Q(group="none", subgroup="none")
                | ~models.Q(group="none") & ~models.Q(group=models.F("subgroup")),
                name="reconciliation_groups_differ",
                violation_error_message="Group and subgroup must differ.",
            ),
            models.CheckConstraint(
                condition=models.Q(state="in_progress", finished_at=None)
                | ~models.Q(state="in_progress") & models.Q(finished_at__isnull=False),
                name="reconciliation_finished_says_ended",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("reconciliation_detail", args=[self.pk])

    @property
    def unknown(self) -> list[str]:
        """Profiles of which nothing had been listed by that day: without them there is no total."""
        return list(self.inputs.get("unknown", []))

    @property
    def number(self) -> str:
        return f"REC{self.pk or 0:07}"

    @property
    def is_canceled(self) -> bool:
        """Whether a person stopped it, and nothing else went wrong."""
        return self.problem == CANCELED

    @property
    def is_whole(self) -> bool:
        """Whether it is about every publisher and every software model."""
        return self.scope_key.endswith("/all")


class ProductResultQuerySet(models.QuerySet["ProductResult"]):
    def current(self) -> Self:
        """The newest result of each product, as of today: of the last run that was about it."""
        return self.filter(current=True)


class ModelResultQuerySet(models.QuerySet["ModelResult"]):
    def current(self) -> Self:
        """The newest result of each software model, as of today: of the last run that was about it."""
        return self.filter(current=True)


class ProductResult(models.Model):
    """The sums over the software models of one product. Amounts are texts by currency, never added over currencies."""

    run = models.ForeignKey(ReconciliationRun, on_delete=models.CASCADE, related_name="products")
    current = models.BooleanField(default=False, help_text="The newest one of its product, as of today.")
    publisher = models.CharField(max_length=120)
    product = models.CharField(max_length=120)
    status = models.CharField(max_length=16, choices=ComplianceStatus.choices)
    model_count = models.PositiveIntegerField("software models")
    out_of_compliance = models.PositiveIntegerField()
    unlimited = models.BooleanField(help_text="Whether one of its models is; `owned` sums the others.")
    owned = models.PositiveBigIntegerField()
    in_use = models.PositiveIntegerField()
    used = models.PositiveBigIntegerField()
    needed = models.PositiveBigIntegerField()
    unlicensed = models.PositiveIntegerField()
    unpriced = models.PositiveIntegerField(help_text="Models without a price, whose money is in no total.")
    true_up = models.JSONField(default=dict)
    over_licensed = models.JSONField(default=dict)
    potential_savings = models.JSONField(default=dict)
    annual_spend = models.JSONField(default=dict)

    objects = ProductResultQuerySet.as_manager()

    class Meta:
        ordering = ["publisher", "product"]
        constraints = [
            models.UniqueConstraint(fields=["run", "publisher", "product"], name="product_result_once_per_run"),
            models.UniqueConstraint(
                fields=["publisher", "product"],
                condition=models.Q(current=True),
                name="product_result_one_current",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.publisher} | {self.product}"

    def get_absolute_url(self) -> str:
        return reverse("product_result", args=[self.pk])


class ModelResult(models.Model):
    """The result of one software model in one run, with its words as they were then."""

    product_result = models.ForeignKey(ProductResult, on_delete=models.CASCADE, related_name="model_results")
    current = models.BooleanField(default=False, help_text="The newest one of its software model, as of today.")
    software_model = models.ForeignKey(
        "subscriptions.SoftwareModel", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    publisher = models.CharField(max_length=120)
    product = models.CharField(max_length=120)
    edition = models.CharField(max_length=120, blank=True)

    objects = ModelResultQuerySet.as_manager()

    class Meta:
        ordering = ["publisher", "product", "edition", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["software_model"],
                condition=models.Q(current=True, software_model__isnull=False),
                name="model_result_one_current",
            )
        ]

    def __str__(self) -> str:
        return display_name(self.publisher, self.product, self.edition)

    def get_absolute_url(self) -> str:
        return reverse("model_result", args=[self.pk])


class MetricResult(models.Model):
    """The figures of a software model by one license metric. Money that cannot be known is empty, never 0."""

    model_result = models.ForeignKey(ModelResult, on_delete=models.CASCADE, related_name="metrics")
    metric = models.CharField(
        max_length=20, choices=Entitlement.Metric.choices, default=Entitlement.Metric.USER_SUBSCRIPTION
    )
    status = models.CharField(max_length=16, choices=ComplianceStatus.choices)
    owned = models.PositiveBigIntegerField(help_text="Rights of the limited entitlements in force.")
    unlimited = models.BooleanField(default=False)
    in_use = models.PositiveIntegerField()
    without_user = models.PositiveIntegerField()
    of_leavers = models.PositiveIntegerField()
    allocated = models.PositiveBigIntegerField()
    allocated_in_use = models.PositiveIntegerField()
    allocated_not_in_use = models.PositiveBigIntegerField()
    not_allocated_in_use = models.PositiveIntegerField()
    used = models.PositiveBigIntegerField(help_text="In use, and allocated without being in use.")
    available = models.BigIntegerField(null=True, help_text="Owned without used. Empty: unlimited.")
    needed = models.PositiveBigIntegerField()
    unlicensed = models.PositiveIntegerField()
    excluded = models.PositiveIntegerField(help_text="Accounts that do not count, and that the vendor bills.")
    price = models.DecimalField(max_digits=15, decimal_places=4, null=True, help_text="Of a right and a year.")
    currency = models.CharField(max_length=3, blank=True)
    flags = models.JSONField(default=list)
    true_up = models.DecimalField(max_digits=15, decimal_places=4, null=True)
    over_licensed = models.DecimalField(max_digits=15, decimal_places=4, null=True)
    open_candidates = models.PositiveIntegerField(help_text="When it ran. Pages ask anew.")
    potential_savings = models.DecimalField(max_digits=15, decimal_places=4, null=True)
    annual_spend = models.JSONField(default=dict, help_text="Amounts as texts, by currency.")
    ends_on = models.DateField(null=True, help_text="The latest end of the entitlements in force.")
    has_seats = models.BooleanField(default=False, help_text="Whether its seats are still stored.")

    class Meta:
        ordering = ["model_result", "metric"]
        constraints = [models.UniqueConstraint(fields=["model_result", "metric"], name="metric_result_unique")]

    def __str__(self) -> str:
        return f"{self.model_result}, {self.get_metric_display()}"

    def get_absolute_url(self) -> str:
        return reverse("metric_result", args=[self.pk])

    @property
    def is_out_of_compliance(self) -> bool:
        return self.status != ComplianceStatus.COMPLIANT


class GroupResult(models.Model):
    """The part of one department, cost center or country in what is in use. `missing` says why there is none."""

    class Missing(models.TextChoices):
        NOTHING = "", "Nothing"
        USER = "user", "No user"
        VALUE = "value", "No value"

    metric_result = models.ForeignKey(MetricResult, on_delete=models.CASCADE, related_name="groups")
    value = models.CharField(max_length=120, blank=True)
    missing = models.CharField(max_length=5, choices=Missing.choices, blank=True)
    subvalue = models.CharField(max_length=120, blank=True)
    submissing = models.CharField(max_length=5, choices=Missing.choices, blank=True)
    in_use = models.PositiveIntegerField()
    unlicensed = models.PositiveIntegerField()
    cost_share = models.DecimalField(max_digits=15, decimal_places=4, null=True)

    class Meta:
        ordering = ["metric_result", "missing", "value", "submissing", "subvalue"]

    def __str__(self) -> str:
        return self.value or self.get_missing_display()


class SeatResult(models.Model):
    """One seat that counted, and what covers it. `rank` is its place among the seats covered in the same way.

    Those without a right go on counting where the covered ones end. A million rows are written by every run, so there
    are few indexes, and what they refer to is referred to without a constraint of the database.
    """

    class Covered(models.TextChoices):
        ALLOCATION = "allocation", "By an allocation"
        RIGHT = "right", "By a right"
        NONE = "none", "Not covered"

    metric_result = models.ForeignKey(
        MetricResult, on_delete=models.CASCADE, related_name="seats", db_index=False, db_constraint=False
    )
    subscription = models.ForeignKey(
        "subscriptions.Subscription",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    seat_name = models.CharField(max_length=320)
    profile_name = models.CharField(max_length=80)
    person = models.ForeignKey(
        "subscriptions.Person",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    person_name = models.CharField(max_length=200, blank=True)
    is_leaver = models.BooleanField(default=False)
    covered_by = models.CharField(max_length=10, choices=Covered.choices)
    entitlement = models.ForeignKey(
        Entitlement,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="Of the allocation. A right of the pool is of no entitlement in particular.",
    )
    rank = models.PositiveIntegerField()

    class Meta:
        ordering = ["metric_result", "covered_by", "rank"]
        indexes = [
            models.Index(fields=["metric_result", "covered_by", "rank"], name="seat_result_by_rank"),
            models.Index(
                fields=["metric_result", "rank"], condition=models.Q(person=None), name="seat_result_without_user"
            ),
            models.Index(
                fields=["metric_result", "rank"], condition=models.Q(is_leaver=True), name="seat_result_of_leavers"
            ),
        ]

    def __str__(self) -> str:
        return self.seat_name


class PinnedPublisher(models.Model):
    """A publisher that an account sees first."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    publisher = models.CharField(max_length=120)

    class Meta:
        ordering = ["user", "publisher"]
        constraints = [models.UniqueConstraint(fields=["user", "publisher"], name="publisher_pinned_once")]

    def __str__(self) -> str:
        return self.publisher


class PreferredCurrency(models.Model):
    """The currency that an account sees first. Amounts of another one stand behind it, and are never added."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="preferred_currency"
    )
    currency = models.CharField(max_length=3)

    class Meta:
        ordering = ["user"]
        verbose_name_plural = "preferred currencies"

    def __str__(self) -> str:
        return self.currency


class UseDay(models.Model):
    """How many seats of a seat type counted at the end of a day: for charts, which must not count seats."""

    day = models.DateField()
    identifier = models.ForeignKey(
        "subscriptions.SubscriptionIdentifier", on_delete=models.CASCADE, related_name="+", db_index=True
    )
    in_use = models.PositiveIntegerField()

    class Meta:
        ordering = ["day", "identifier"]
        verbose_name = "use of a day"
        verbose_name_plural = "use by day"
        constraints = [models.UniqueConstraint(fields=["day", "identifier"], name="use_day_unique")]

    def __str__(self) -> str:
        return f"{self.day}: {self.in_use}"
