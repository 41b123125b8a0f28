"""Removal candidates, each a seat proposed for removal with its evidence, and the history of their states."""

from __future__ import annotations

from typing import Any, NoReturn, Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from reclamation.states import CLOSED, OPEN, State
from samsaas.lib import search as text_search

SEARCHED = ("display_name", "email", "profile_name")


class CandidateQuerySet(models.QuerySet["RemovalCandidate"]):
    def open(self) -> Self:
        """Candidates that are not decided yet. A constraint ties `closed_at` to the state."""
        return self.filter(closed_at=None)

    def closed(self) -> Self:
        return self.exclude(closed_at=None)

    def search(self, text: str) -> Self:
        """Candidates by name, address or profile, by their whole number, or by the vendor's whole id."""
        exactly = models.Q(external_id=text)
        if numbered := text_search.numbered(text, "RC"):
            exactly |= numbered
        return text_search.find(self, text, *SEARCHED, or_else=exactly)


INVITED = "invited"
# A person judged these by what the account is, and not by its use: its user is told, and an approver is asked.
NOT_ABOUT_USE = frozenset({"unlicensed", "restricted_software"})


class RemovalCandidate(models.Model):
    """A proposal to remove a seat. It removes nothing by itself, and only `workflow` changes its state.

    When the seat and the profile are deleted, the candidate stays. What a reader needs of them is copied, so that a
    closed candidate stays readable.
    """

    of_profile = "profile"

    class Justification(models.TextChoices):
        LOW_USAGE = "low_usage", "Low Usage"
        UNALLOCATED = "unallocated", "Unallocated"
        UNLICENSED = "unlicensed", "Unlicensed"
        RESTRICTED_SOFTWARE = "restricted_software", "Restricted Software"

    subscription = models.ForeignKey(
        "subscriptions.Subscription", null=True, on_delete=models.SET_NULL, related_name="removal_candidates"
    )
    profile = models.ForeignKey("profiles.IntegrationProfile", null=True, on_delete=models.SET_NULL, related_name="+")
    profile_name = models.CharField("subscription profile", max_length=80)
    display_name = models.CharField(max_length=255, blank=True)
    email = models.CharField("user principal name", max_length=320, blank=True)
    external_id = models.CharField("external user id", max_length=255)
    software_model = models.CharField(max_length=400, blank=True)

    rule = models.ForeignKey(
        "reclamation.ReclamationRule", null=True, on_delete=models.SET_NULL, related_name="candidates"
    )
    rule_version = models.ForeignKey(
        "reclamation.RuleVersion", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=24, blank=True, help_text="Code of the reason it was proposed for.")
    person_name = models.CharField(max_length=200, blank=True, help_text="The user’s name when it was opened.")
    person_key = models.CharField(
        max_length=80, blank=True, help_text="The user’s employee number when they were asked. Empty: nobody was."
    )
    is_leaver = models.BooleanField(default=False)
    after_notice = models.BooleanField(
        default=False, help_text="The first use after the opening came within the notice period."
    )

    justification = models.CharField(max_length=20, choices=Justification.choices, default=Justification.LOW_USAGE)
    note = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=State.choices)
    evidence = models.JSONField(
        help_text="What was known about the use of the subscription when the candidate was opened."
    )
    status_at_opening = models.CharField(
        max_length=12,
        blank=True,
        help_text="Status of the subscription at the opening. Empty: not noted.",
    )
    was_admin = models.BooleanField(
        null=True, help_text="Whether the account had an administrative role then. Empty: not noted."
    )
    attention = models.CharField(
        max_length=200, blank=True, help_text="What samsaas found that a person has to weigh. Empty: nothing."
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    assignment_group = models.ForeignKey(
        "auth.Group", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    hold = models.CharField(
        max_length=24, blank=True, help_text="Code of the guard for which a pending removal waits. Empty: nothing."
    )
    hold_text = models.CharField(max_length=300, blank=True)
    batch = models.ForeignKey(
        "reclamation.RemovalBatch", null=True, blank=True, on_delete=models.SET_NULL, related_name="candidates"
    )
    deadline = models.DateTimeField(
        null=True, help_text="When the user’s time to answer ends. Empty: nobody was asked."
    )

    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Empty: samsaas itself.",
    )
    closed_at = models.DateTimeField(null=True)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["state", "profile"], condition=models.Q(closed_at=None), name="candidate_open_by_state"
            ),
            # Home counts the open ones by all three, and reads nothing else of them.
            models.Index(
                fields=["reason", "rule", "state"], condition=models.Q(closed_at=None), name="candidate_open_by_reason"
            ),
            models.Index(fields=["external_id"], name="candidate_by_vendor_id"),
            # The list counts all of them by state, and reads nothing else.
            models.Index(fields=["state"], name="candidate_by_state"),
            models.Index(
                fields=["display_name", "id"], condition=models.Q(closed_at=None), name="candidate_open_by_name"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"], condition=models.Q(closed_at=None), name="candidate_one_open_per_seat"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=OPEN, closed_at=None)
                | models.Q(state__in=CLOSED, closed_at__isnull=False),
                name="candidate_closed_at_says_closed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}, {self.seat_name}"

    def get_absolute_url(self) -> str:
        return reverse("candidate_detail", args=[self.pk])

    @property
    def number(self) -> str:
        return f"RC{self.pk:07}"

    @property
    def seat_name(self) -> str:
        """The name of the seat, as on its own page."""
        return self.display_name or self.email or self.external_id

    @property
    def is_about_use(self) -> bool:
        """Whether it was proposed because of its use, so that its user can be asked about it."""
        return self.justification not in NOT_ABOUT_USE

    @property
    def is_canceled_by_use(self) -> bool:
        """Whether use is a reason to keep it: always, but for what a person proposed for another reason than use."""
        return self.is_about_use or not self.opened_by_id

    @property
    def is_invitation(self) -> bool:
        """Whether its account was only invited when it was proposed, also as that of a leaver or by a person.

        One that was accepted since is not removed on this proposal.
        """
        return INVITED in (self.reason, self.status_at_opening)

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class StateChange(models.Model):
    """One change of a candidate's state, never edited afterwards. The first one has no `from_state`."""

    candidate = models.ForeignKey(RemovalCandidate, on_delete=models.CASCADE, related_name="history")
    from_state = models.CharField(max_length=20, choices=State.choices, blank=True)
    to_state = models.CharField(max_length=20, choices=State.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Empty: samsaas itself.",
    )
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_from_state_display() or 'New'} → {self.get_to_state_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise TypeError("The history of a candidate is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The history of a candidate is append-only.")
