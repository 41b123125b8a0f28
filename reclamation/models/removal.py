"""Batches of removals, each attempt at one, and the switch that stops them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce

from profiles.models.alias import vendor_choices
from reclamation.models.candidate import RemovalCandidate


class RemovalBatch(models.Model):
    """What one press of *Reclaim*, or one find in mode automatic, asks for, in one vendor team."""

    of_profile = "profile"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        QUARANTINED = "quarantined", "Waits for a second person"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        DONE = "done", "Done"

    profile = models.ForeignKey("profiles.IntegrationProfile", null=True, on_delete=models.SET_NULL, related_name="+")
    profile_name = models.CharField(max_length=80)
    vendor = models.CharField(max_length=40, choices=vendor_choices)
    team_id = models.CharField(max_length=255)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty: a rule in mode automatic.",
    )
    requested_at = models.DateTimeField()
    dry_run = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    size = models.PositiveIntegerField()
    limits = models.JSONField(default=dict, help_text="The figures of the limits when the batch was made.")
    legal_hold_checked = models.BooleanField(default=False, help_text="A person said that no legal hold is known.")
    evidence_checked = models.BooleanField(
        default=False, help_text="A person looked at the evidence of candidates that have no rule."
    )
    admin_checked = models.BooleanField(
        default=False, help_text="A person said that administrators in it are to be removed."
    )
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    run = models.ForeignKey("profiles.JobRun", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "removal batches"
        indexes = [models.Index(fields=["state", "vendor", "team_id"], name="batch_by_state")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by=None)
                | models.Q(requested_by=None)
                | ~models.Q(decided_by=models.F("requested_by")),
                name="batch_decided_by_another_person",
            )
        ]

    def __str__(self) -> str:
        return f"RB{self.pk:05}"


class RemovalAttempt(models.Model):
    """One attempt to remove one member of one team at the vendor, from the approval to the end of the undo window.

    Its intent is committed before the vendor is called, so that a call whose answer is lost is never repeated blindly.
    Only `reclamation.removal` writes it, and only where owner and generation are still those of the writer.
    """

    of_profile = "profile"

    class State(models.TextChoices):
        APPROVED = "approved", "Approved"
        GATED = "gated", "Checked"
        CALLING = "calling", "Calling the vendor"
        JOB = "job", "The vendor works on it"
        UNKNOWN = "unknown", "Answer lost"
        REMOVED = "removed", "Removed, can be undone"
        RESTORING = "restoring", "Being restored"
        MOVING = "moving", "Files are being moved"
        NEEDS_HUMAN = "needs_human", "Needs a person"
        RESTORED = "restored", "Restored"
        CLOSED = "closed", "Done"
        CANCELED = "canceled", "Canceled"

    ENDED = (State.RESTORED, State.CLOSED, State.CANCELED)
    CALLED = (State.CALLING, State.JOB, State.UNKNOWN, State.REMOVED, State.RESTORING, State.MOVING)

    class MovedBy(models.TextChoices):
        EVENT = "event", "The vendor’s log says so"
        TIME = "time", "Time passed after the job"
        NOTHING = "nothing_to_move", "There was nothing to move"

    class RestoredWhere(models.TextChoices):
        HERE = "here", "Here"
        VENDOR = "vendor", "At the vendor"

    candidate = models.ForeignKey(RemovalCandidate, on_delete=models.PROTECT, related_name="attempts")
    batch = models.ForeignKey(RemovalBatch, null=True, on_delete=models.PROTECT, related_name="attempts")
    profile = models.ForeignKey("profiles.IntegrationProfile", null=True, on_delete=models.SET_NULL, related_name="+")
    vendor = models.CharField(max_length=40, choices=vendor_choices)
    team_id = models.CharField(max_length=255)
    external_id = models.CharField(max_length=255)
    email = models.CharField(max_length=320, blank=True)
    dry_run = models.BooleanField(default=False)

    state = models.CharField(max_length=12, choices=State.choices, default=State.APPROVED)
    owner = models.CharField(max_length=36, blank=True)
    generation = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField()

    intent_at = models.DateTimeField(null=True)
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the call that was to be made.")
    called_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    check_to_call_ms = models.PositiveIntegerField(
        null=True, help_text="Milliseconds from the answer of the last look to the call."
    )
    withdraw_request_id = models.CharField(
        max_length=120, blank=True, help_text="The vendor’s id of the call that removed the member."
    )
    async_job_id = models.CharField(max_length=255, blank=True)
    withdrawn_at = models.DateTimeField(null=True, help_text="The undo window runs from here.")
    freed_at = models.DateTimeField(null=True, help_text="From here on the license is free.")
    restorable_until = models.DateTimeField(null=True)
    looks = models.JSONField(default=list, help_text="What looks at the member said after a lost answer.")

    destination_external_id = models.CharField(max_length=255, blank=True)
    transfer_admin_external_id = models.CharField(max_length=255, blank=True)
    move_after = models.DateTimeField(null=True)
    move_intent_at = models.DateTimeField(null=True)
    move_called_at = models.DateTimeField(null=True)
    move_request_id = models.CharField(
        max_length=120, blank=True, help_text="The vendor’s id of the call that began the move of the files."
    )
    move_job_id = models.CharField(max_length=255, blank=True)
    move_job_done_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(null=True)
    moved_by = models.CharField(max_length=16, choices=MovedBy.choices, blank=True)

    restore_intent_at = models.DateTimeField(null=True)
    restore_request_id = models.CharField(
        max_length=120, blank=True, help_text="The vendor’s id of the call that restored the member."
    )
    restored_at = models.DateTimeField(null=True)
    restored_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    restored_where = models.CharField(max_length=8, choices=RestoredWhere.choices, blank=True)
    regret_at = models.DateTimeField(null=True, help_text="Use from before the removal that was learned after it.")
    closed_at = models.DateTimeField(null=True)

    gate_at_approval = models.JSONField(default=list)
    gate_at_call = models.JSONField(default=list)
    error_kind = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    error_endpoint = models.CharField(max_length=120, blank=True)
    error_status = models.PositiveIntegerField(null=True)
    error_body = models.TextField(blank=True)
    error_request_id = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["state", "not_before"], condition=models.Q(closed_at=None), name="attempt_open_by_state"
            ),
            models.Index(fields=["vendor", "team_id", "called_at"], name="attempt_by_call"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["vendor", "team_id", "external_id"],
                condition=models.Q(closed_at=None, dry_run=False),
                name="attempt_one_open_per_member",
            ),
            models.UniqueConstraint(
                fields=["vendor", "team_id", "destination_external_id"],
                condition=models.Q(state="moving"),
                name="attempt_one_move_per_destination",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("approved", "gated", "needs_human", "canceled", "closed", "removed"))
                | models.Q(intent_at__isnull=False),
                name="attempt_has_intent_before_call",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("restored", "closed", "canceled"), closed_at__isnull=False)
                | ~models.Q(state__in=("restored", "closed", "canceled")) & models.Q(closed_at=None),
                name="attempt_closed_at_says_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"Removal {self.pk} of {self.email or self.external_id}"


class ReclamationSwitch(models.Model):
    """Whether removals are paused, everywhere (no profile) or for one profile. Read before every call."""

    profile = models.OneToOneField(
        "profiles.IntegrationProfile", null=True, on_delete=models.CASCADE, related_name="reclamation_switch"
    )
    paused = models.BooleanField(default=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Empty: samsaas itself.",
    )
    at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    class Meta:
        verbose_name_plural = "reclamation switches"
        constraints = [
            # One row without a profile as well: a unique column alone holds any number of empty values.
            models.UniqueConstraint(Coalesce("profile", 0), name="switch_one_per_place")
        ]

    def __str__(self) -> str:
        return f"{self.profile or 'Everywhere'}: {'paused' if self.paused else 'on'}"
