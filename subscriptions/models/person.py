"""The directory of people, the rules that find the person behind a seat, and the matches they made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from samsaas.lib import column_values, fold, search as text_search, sql, text_forms
from samsaas.lib.text_forms import ComparedField, ComparedQuerySet

SEARCHED = ("name", "key", "department")
# E-mail addresses and employee numbers are compared in the same form: a rule may look up either in the other.
normalize_address = text_forms.normalize_identifier


MOST_CHOICES = 500
MANY = 10_000  # hits of a search


def column_choices(column: str) -> list[tuple[str, str]]:
    """The values that a column of the directory has, as choices of a filter."""
    return column_values.choices(Person, column, most=MOST_CHOICES)


class PersonQuerySet(ComparedQuerySet["Person"]):
    def active(self) -> Self:
        """People without a last day."""
        return self.filter(left_on=None)

    def leavers(self) -> Self:
        """People whose last day is over. The last day itself is a day of work."""
        return self.filter(left_on__lt=timezone.localdate())

    def not_leavers(self) -> Self:
        """People without a last day, and people whose last day is today or still to come."""
        return self.filter(models.Q(left_on=None) | models.Q(left_on__gte=timezone.localdate()))

    def holding_seats(self) -> Self:
        """People who have a current seat."""
        return self.filter(_has_current_seat())

    def without_seats(self) -> Self:
        """People who have no current seat."""
        return self.filter(~_has_current_seat())

    def with_seat_counts(self) -> Self:
        """Each person with `seats`, the number of their current ones. Counted row by row: a page shows fifty people."""
        current = Match.objects.of_current_seats().filter(person=models.OuterRef("pk")).order_by()
        counts = current.values("person").annotate(number=models.Count("pk")).values("number")
        return self.annotate(seats=Coalesce(models.Subquery(counts, output_field=models.IntegerField()), 0))

    def search(self, text: str) -> Self:
        """People whose name, employee number, department or one of whose addresses contains the text.

        Both kinds of hits are joined into one list of keys, because no index serves an OR over two tables. Where very
        many are expected, as of the company's own domain, that list takes longer than asking one person after another.
        """
        by_columns = text_search.find(Person.objects.order_by(), text, *SEARCHED).values("pk")
        by_address = text_search.find(PersonAddress.objects.order_by(), text, "address")
        hits = by_columns.union(by_address.values("person"))
        expected = sql.expect(lambda: list(hits))
        if expected is None or expected.rows <= MANY:
            return self.filter(pk__in=hits)
        # No EXISTS: PostgreSQL would find all the addresses at once to answer it.
        of_address = models.Subquery(by_address.filter(person=models.OuterRef("pk")).values("person")[:1])
        return text_search.find(self, text, *SEARCHED, or_else=models.Q(pk=of_address))

    def named(self, names: Iterable[str]) -> Self:
        """People of one of these names, however it is written, with its accents or without. For hints only."""
        folded = {fold.fold(text_forms.normalize_name(name)) for name in names} - {""}
        return self.alias(_plain=fold.Fold("compared_name")).filter(_plain__in=sorted(map(str, folded)))


def _has_current_seat() -> models.Exists:
    return models.Exists(Match.objects.of_current_seats().filter(person=models.OuterRef("pk")))


class Person(models.Model):
    """An employee in the directory. `left_on` marks a leaver. Leavers are kept, because seats may still be theirs."""

    of_profile = "matches__subscription__profile"

    key = models.CharField("employee number", max_length=80, unique=True, help_text="Identifies the person in imports.")
    name = models.CharField(max_length=200)
    department = models.CharField(max_length=120, blank=True)
    manager = models.CharField("manager’s employee number", max_length=80, blank=True)
    cost_center = models.CharField(max_length=80, blank=True)
    country = models.CharField(
        max_length=2, blank=True, validators=[RegexValidator(r"^[A-Z]{2}$", "Use two capital letters, such as DE.")]
    )
    left_on = models.DateField(null=True, blank=True, help_text="Last day. Empty: active.")
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="person",
        help_text="The person’s account here, set by hand or by single sign-on, never by an address.",
    )
    updated_at = models.DateTimeField(auto_now=True)
    compared_key = ComparedField("key", text_forms.normalize_identifier, max_length=80)
    compared_name = ComparedField("name", text_forms.normalize_name, max_length=200)

    objects = PersonQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name_plural = "people"
        indexes = [
            models.Index(fields=["name", "id"], name="person_by_name"),
            models.Index(fields=["department"], name="person_by_department"),
            models.Index(fields=["cost_center"], name="person_by_cost_center"),
            models.Index(fields=["country"], name="person_by_country"),
            models.Index(fields=["left_on"], condition=models.Q(left_on__isnull=False), name="person_left"),
            models.Index(fields=["compared_key"], name="person_by_compared_key"),
            models.Index(fields=["compared_name"], name="person_by_compared_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("person_detail", args=[self.pk])

    @property
    def has_left(self) -> bool:
        """Whether the last day is over. The last day itself is a day of work."""
        return self.left_on is not None and has_left(self.left_on, timezone.localdate())


def has_left(left_on: date | None, today: date) -> bool:
    """Whether somebody with this last day has left. The day after the last day is the first day left."""
    return left_on is not None and left_on < today


class PersonAddress(models.Model):
    """An e-mail address of a person, normalized. If two people who are here share one, it leads to neither of them."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="addresses")
    address = models.CharField(max_length=320)

    class Meta:
        verbose_name_plural = "person addresses"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["person", "address"], name="address_once_per_person")]
        indexes = [models.Index(fields=["address"], name="address_lookup")]

    def __str__(self) -> str:
        return self.address


class FormerAddress(models.Model):
    """An e-mail address that was a person's until it was renamed. It leads to them while nobody has it now."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="former_addresses")
    address = models.CharField(max_length=320)
    until = models.DateField(help_text="The day on which it was taken off the person’s addresses.")

    class Meta:
        verbose_name_plural = "former addresses"
        ordering = ["-until", "pk"]
        constraints = [models.UniqueConstraint(fields=["person", "address"], name="former_address_once_per_person")]
        indexes = [models.Index(fields=["address"], name="former_address_lookup")]

    def __str__(self) -> str:
        return self.address


class ResolutionRule(models.Model):
    """How the person behind a seat is found.

    Rules are tried in order; the first that finds exactly one person decides.
    """

    class Source(models.TextChoices):
        EMAIL = "email", "Verified e-mail address"
        ANY_EMAIL = "any_email", "E-mail address, verified or not"
        EMPLOYEE_ID = "employee_id", "Vendor’s external id"

    class Lookup(models.TextChoices):
        ADDRESS = "address", "E-mail address"
        KEY = "key", "Employee number"

    class Transform(models.TextChoices):
        NONE = "none", "None"
        REMOVE_DOMAIN = "remove_domain", "Remove domain"
        REPLACE_DOMAIN = "replace_domain", "Replace domain"

    name = models.CharField("display name", max_length=80, unique=True)
    order = models.PositiveIntegerField(default=100)
    active = models.BooleanField(default=True)
    source = models.CharField("source field", max_length=20, choices=Source.choices, default=Source.EMAIL)
    lookup = models.CharField("look up field", max_length=20, choices=Lookup.choices, default=Lookup.ADDRESS)
    transform = models.CharField(max_length=20, choices=Transform.choices, default=Transform.NONE)
    new_domain = models.CharField(max_length=255, blank=True, help_text="For Replace domain: such as example.com.")
    profiles = models.ManyToManyField(
        "profiles.IntegrationProfile",
        blank=True,
        related_name="+",
        verbose_name="applies to",
        help_text="None chosen: every profile.",
    )
    scoped = models.BooleanField(
        default=False,
        editable=False,
        help_text="Made for chosen profiles. When those are deleted, the rule applies to none.",
    )

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = "user resolution rule"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("resolution_rule_edit", args=[self.pk])

    def clean(self) -> None:
        self.new_domain = normalize_address(self.new_domain).lstrip("@")
        if self.transform == self.Transform.REPLACE_DOMAIN and not self.new_domain:
            raise ValidationError({"new_domain": "Replace domain needs the new domain."})
        if self.transform == self.Transform.REMOVE_DOMAIN and self.lookup == self.Lookup.ADDRESS:
            raise ValidationError(
                {"lookup": "A value without its domain is not an address. Look up the employee number instead."}
            )
        if self.transform != self.Transform.REPLACE_DOMAIN and self.new_domain:
            raise ValidationError({"new_domain": "Only Replace domain uses a new domain."})


class MatchQuerySet(models.QuerySet["Match"]):
    def of_current_seats(self) -> Self:
        """Matches of seats that are listed and not excluded."""
        return self.filter(subscription__ended_at=None, subscription__excluded=False)


class Match(models.Model):
    """Whose seat it is. A match made by hand stays until somebody removes it; the others are renewed every day."""

    subscription = models.OneToOneField(
        "subscriptions.Subscription", primary_key=True, on_delete=models.CASCADE, related_name="match"
    )
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="matches")
    rule = models.ForeignKey(
        ResolutionRule, null=True, blank=True, on_delete=models.CASCADE, related_name="matches", db_index=True
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    objects = MatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "matches"

    def __str__(self) -> str:
        return f"{self.person} ({'by hand' if self.by_hand else self.rule})"

    @property
    def by_hand(self) -> bool:
        return self.rule_id is None
