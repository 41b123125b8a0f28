"""What *Reclaim* does with a candidate: ask its user, ask an approver, or remove it.

1. The user is asked where the rule says so, unless the user has left or use is not the reason.
2. Else an approver is asked, where the rule names one.
3. Else an attempt is opened. It removes nothing before it has passed the gate twice.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from profiles.connectors import base
from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from reclamation import attempts, rules, workflow
from reclamation.asking import approve as ask_approver, ask as ask_user
from reclamation.models import Approval, ReclamationRule, RemovalAttempt, RemovalCandidate
from reclamation.states import State

ASK, APPROVE, REMOVE = "ask", "approve", "remove"
LABELS = {ASK: "Its user is asked", APPROVE: "An approver is asked", REMOVE: "It is removed"}
WITHOUT_QUESTION = {
    RemovalCandidate.Justification.UNLICENSED,
    RemovalCandidate.Justification.RESTRICTED_SOFTWARE,
}
BY_OTHER_PROFILE = "other_removal"
BEING_REMOVED = "The same account is being removed through another profile of the team."


def next_step(candidate: RemovalCandidate) -> str:
    """What pressing Reclaim does with this candidate first: ASK, APPROVE or REMOVE."""
    rule = rules.settings_of(candidate)
    about_use = candidate.justification not in WITHOUT_QUESTION
    if rule.notify_user and about_use and not candidate.is_leaver:
        return ASK
    return REMOVE if rule.approver == ReclamationRule.Approver.NONE else APPROVE


def run(candidate: RemovalCandidate, *, by: User | None, now: datetime) -> str:
    """Do the first step with a candidate that is Ready, and say which. Raises `workflow.NotAllowed`."""
    step = next_step(candidate)
    if step == ASK:
        ask_user.run(candidate, by=by, now=now)
    elif step == APPROVE:
        ask_approver.ask(candidate, Approval.Question.REMOVAL, now=now)
    else:
        approve(candidate, by=by, now=now, reason="Reclaim was pressed; the rule asks nobody.")
    return step


@transaction.atomic
def approve(
    candidate: RemovalCandidate, *, by: User | None, now: datetime, reason: str = "Approved."
) -> RemovalAttempt | None:
    """Everybody who had to be asked was asked: Awaiting Revocation, with an attempt, and a run that goes on with it.

    None where the same account is being removed through another profile already; this candidate waits for that.
    Raises `workflow.NotAllowed`.
    """
    workflow.await_revocation(candidate, reason=reason, by=by, now=now)
    return open_attempt(candidate, by=by, now=now)


def open_attempt(candidate: RemovalCandidate, *, by: User | None, now: datetime) -> RemovalAttempt | None:
    """The attempt of a candidate that is Awaiting Revocation and has none; None where its account has one."""
    try:
        attempt = attempts.open_for(candidate, now=now)
    except attempts.AlreadyOpen:
        workflow.hold(candidate, code=BY_OTHER_PROFILE, text=BEING_REMOVED)
        return None
    workflow.hold(candidate, code="", text="")
    if candidate.profile:
        request_run(candidate.profile, by=by)
    return attempt


def request_run(profile: IntegrationProfile, *, by: User | None) -> JobRun | None:
    """A run that goes on with the removals of this profile. One that has begun may have missed what is new, so the new
    one waits behind it."""
    trigger = JobRun.Trigger.MANUAL if by else JobRun.Trigger.SCHEDULE
    asked = queue.Request(base.RECLAIM, trigger, profile=profile, by=by)
    return queue.request(asked, behind=True)[0]


def waits_for_attempt() -> list[RemovalCandidate]:
    """Candidates that are Awaiting Revocation and have no open attempt, such as those of a second profile."""
    pending = RemovalCandidate.objects.open().filter(state=State.AWAITING_REVOCATION, profile__isnull=False)
    pending = pending.exclude(attempts__closed_at=None, attempts__dry_run=False, attempts__isnull=False)
    return list(pending.select_related("rule", "batch", "profile").order_by("pk")[:1000])
