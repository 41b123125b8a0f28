"""What can become of a seat when candidates are found: the decisions, and the reasons in the order they are asked.

Source: specification of reclamation, section 4. A seat has exactly one reason: the first that applies.
"""

from __future__ import annotations

from django.db import models


class Decision(models.TextChoices):
    PROPOSE = "propose", "Proposed"
    OBSERVE = "observe", "Only observed"
    NO = "no", "Not proposed"


class Reason(models.TextChoices):
    OPEN_CANDIDATE = "open_candidate", "Open candidate"
    ENDED = "ended", "Ended"
    OTHER_TEAM = "other_team", "Of another team"
    EXCLUDED = "excluded", "Excluded"
    NOT_MANAGED = "not_managed", "Model not under management"
    AUTHORIZED_CONNECTION = "authorized_connection", "Authorized the connection"
    AUTHORIZER_UNKNOWN = "authorizer_unknown", "May have authorized the connection"
    MANUAL = "manual", "Proposed by hand"
    UNRECOGNIZED = "unrecognized", "Unrecognized"
    RULE_OFF = "rule_off", "Rule is off"
    STALE_DIRECTORY = "stale_directory", "List too old"
    STATUS_UNKNOWN = "status_unknown", "Status unknown"
    NO_LICENSE = "no_license", "No license in use"
    EXEMPT = "exempt", "Exempt"
    ADMIN = "admin", "Vendor admin"
    KEPT = "kept", "Kept"
    LEAVER = "leaver", "Left the company"
    CONDITIONS = "conditions", "Conditions do not match"
    INVITED = "invited", "Invited"
    INVITATION_RECENT = "invitation_recent", "Invited recently"
    ACTIVE = "active", "Active"
    RESTORED = "restored", "Restored recently"
    SUSPENDED = "suspended", "Suspended"
    SUSPENDED_RECENTLY = "suspended_recently", "Suspended recently"
    TOO_NEW = "too_new", "Too new"
    NEVER_ACTIVE = "never_active", "Never active"
    STALE_ACTIVITY = "stale_activity", "Activity too old"
    GAP = "gap", "Not covered"
    WEAK_SIGNAL = "weak_signal", "Signal too weak"
    IDLE = "idle", "Idle"


class Note(models.TextChoices):
    """What a person should know of a proposal besides its reason."""

    NO_USER = "no_user", "No user is known, so the account’s own address is asked"
    IDLE_AT_LEAST = "idle_at_least", "Idle for at least the threshold; for how long is not known exactly"
    ACTIVE_AFTER_LEAVING = "active_after_leaving", "Used after its user left the company"
    CAME_BACK = "came_back", "Restored or listed again after its user left the company"
    NO_UNDO = "no_undo", "Removing it cancels the invitation, which cannot be undone"


# What a rule can propose a seat for.
PROPOSABLE = (Reason.LEAVER, Reason.INVITED, Reason.SUSPENDED, Reason.NEVER_ACTIVE, Reason.IDLE)
# What a rule in mode automatic leaves to a person.
NEVER_AUTOMATIC = frozenset({Note.ACTIVE_AFTER_LEAVING, Note.CAME_BACK})
# Reasons for which nothing is known rather than something decided: they end no candidate.
NOT_KNOWN = frozenset({Reason.STALE_DIRECTORY, Reason.STALE_ACTIVITY, Reason.GAP, Reason.STATUS_UNKNOWN})


def as_verdict(decision: Decision, reason: Reason) -> str:
    """Decision and reason in one text, as SQL gives them."""
    return f"{decision.value}:{reason.value}"


def split_verdict(verdict: str) -> tuple[Decision, Reason]:
    """The decision and the reason of a verdict. Raises ValueError if it is none."""
    decision, _, reason = verdict.partition(":")
    return Decision(decision), Reason(reason)
