"""Notices to people, what they answered, and what approvers decided."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models

from reclamation.models.candidate import RemovalCandidate
from reclamation.models.rule import AppendOnly


class Notice(models.Model):
    """A mail about a candidate. The mail itself is a row of the outbox; this row has the link and who it was for.

    `token_hash` is the SHA-256 of the link's token. All links of a candidate end together.
    """

    class Kind(models.TextChoices):
        ASK = "ask", "Question"
        REMINDER = "reminder", "Reminder"
        INFORM = "inform", "Information"
        APPROVAL = "approval", "Request for approval"
        REMOVED = "removed", "Removed"
        RESTORED = "restored", "Restored"

    candidate = models.ForeignKey(RemovalCandidate, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    mail = models.OneToOneField("samsaas.Mail", on_delete=models.PROTECT, related_name="notice")
    token_hash = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - unique where there is one
    answer_days = models.PositiveSmallIntegerField(
        null=True, help_text="Days to answer, counted from the sending. Empty: it has a fixed end, or asks nothing."
    )
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} about {self.candidate.number}"


class KeepAnswer(models.Model):
    """Somebody said that a seat shall be kept, and until when."""

    class Channel(models.TextChoices):
        LINK = "link", "By the link"
        PRODUCT = "product", "In samsaas"
        APPROVER = "approver", "By an approver"

    candidate = models.ForeignKey(RemovalCandidate, on_delete=models.PROTECT, related_name="answers")
    subscription = models.ForeignKey(
        "subscriptions.Subscription", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    channel = models.CharField(max_length=10, choices=Channel.choices)
    reason = models.CharField(max_length=500, blank=True)
    keep_until = models.DateField(null=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    granted = models.BooleanField(null=True, help_text="Empty: not decided.")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"Keep {self.candidate.seat_name}"


class Approval(models.Model):
    """A question to a group or a person. One candidate has at most one open question."""

    of_profile = "candidate__profile"

    class Question(models.TextChoices):
        KEEP_REQUEST = "keep_request", "May the user keep it?"
        REMOVAL = "removal", "May it be removed?"
        BATCH = "batch", "May this batch go on?"

    class Answer(models.TextChoices):
        APPROVE = "approve", "Approved"
        REJECT = "reject", "Rejected"

    candidate = models.ForeignKey(RemovalCandidate, on_delete=models.PROTECT, related_name="approvals")
    question = models.CharField(max_length=12, choices=Question.choices)
    asked_of_group = models.ForeignKey(Group, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_of_user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    answer = models.CharField(max_length=8, choices=Answer.choices, blank=True)
    at = models.DateTimeField(null=True, help_text="When it was answered, or ended without an answer.")
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["candidate"], condition=models.Q(at=None), name="approval_one_open_per_candidate"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_question_display()} {self.candidate.number}"


class CandidateNote(AppendOnly):
    """A remark of a person on a candidate."""

    candidate = models.ForeignKey(RemovalCandidate, on_delete=models.CASCADE, related_name="notes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    text = models.CharField(max_length=2000)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text[:60]
