"""What is true of removals, in words for pages: what they wait for, how long they can be undone, what a guard said."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from django import template
from django.utils import timezone

from profiles.models import IntegrationProfile
from profiles.notices import ProfileNotice
from reclamation import jump, rules
from reclamation.attempts import UNSENT
from reclamation.models import RemovalAttempt, RemovalBatch, RemovalCandidate, SavingsEntry
from reclamation.removal import automatic, decide, first_step, pass_gate, plan, predict, regret
from reclamation.states import State
from samsaas.lib.person_zone import describe_moment

register = template.Library()
Attempt = RemovalAttempt.State
NEXT: dict[str, str] = {
    Attempt.APPROVED: "Every guard is asked by the next run.",
    Attempt.GATED: "Every guard is asked again, then the vendor is called.",
    Attempt.CALLING: "The vendor is being called.",
    Attempt.JOB: "The vendor works on it.",
    Attempt.UNKNOWN: "Nobody knows whether the vendor did it. samsaas looks again, and calls nobody blindly.",
    Attempt.RESTORING: "The account is being restored.",
    Attempt.MOVING: "The files are on their way. The next transfer to the same account waits for it.",
    Attempt.NEEDS_HUMAN: "A person has to decide.",
}


@register.filter
def waits_for(attempt: RemovalAttempt) -> str:
    """What comes next for an attempt, or how it ended."""
    if attempt.state == Attempt.NEEDS_HUMAN or (attempt.closed_at and attempt.error_message):
        return attempt.error_message or NEXT[Attempt.NEEDS_HUMAN]
    if attempt.state in (Attempt.APPROVED, Attempt.GATED) and attempt.candidate.hold_text:
        return f"Waits: {attempt.candidate.hold_text}"
    if attempt.state == Attempt.REMOVED:
        return _undo_sentence(attempt)
    return NEXT.get(attempt.state, attempt.get_state_display())


@register.filter
def comes_next(candidate: RemovalCandidate) -> str:
    """What comes next for a candidate of a batch, or why it ended. Its attempts come with it, newest first."""
    if not candidate.is_open:
        last = max(candidate.history.all(), key=lambda change: change.pk, default=None)
        return last.reason.strip() or "–" if last else "–"
    if candidate.hold_text:
        return f"Waits: {candidate.hold_text}"
    if attempt := next(iter(candidate.attempts.all()), None):
        return waits_for(attempt)
    if candidate.state == State.AWAITING_USER:
        until = candidate.deadline
        return (
            f"Its user can answer until {describe_moment(until)}." if until else "Its user is asked by the next mail."
        )
    return "An approver is asked." if candidate.state == State.AWAITING_APPROVAL else "–"


def _undo_sentence(attempt: RemovalAttempt) -> str:
    moves = "the files are moved"
    if attempt.move_after:
        moves += f" from {describe_moment(attempt.move_after)} on"
    if not is_restorable(attempt):
        return f"Restoring is no longer possible; {moves}."
    until = _end_of_undo(attempt)
    then = "then the files are moved" if until == attempt.move_after else moves
    return f"Can be restored until {describe_moment(until)}; {then}."


@register.filter
def is_restorable(attempt: RemovalAttempt | None) -> bool:
    """Whether Restore can be pressed now."""
    if attempt is None or attempt.state not in (Attempt.REMOVED, Attempt.NEEDS_HUMAN) or not attempt.withdrawn_at:
        return False
    return bool(attempt.restorable_until and attempt.restorable_until > timezone.now())


@register.filter
def countdown(attempt: RemovalAttempt) -> str:
    """How long a removal can still be undone, in words."""
    left = _end_of_undo(attempt) - timezone.now()
    days, hours = max(left.days, 0), max(int(left.total_seconds()) // 3600 % 24, 0)
    return f"{days} day{'' if days == 1 else 's'} {hours} h left to restore it"


@register.filter
def days_left(attempt: RemovalAttempt) -> str:
    """The days in which a removal can still be undone; empty where it cannot."""
    if not is_restorable(attempt):
        return "–"
    left = _end_of_undo(attempt) - timezone.now()
    hours = max(left.total_seconds(), 0) / 3600
    return f"{hours / 24:.0f}" if hours >= 48 else f"{hours:.0f} h"


def _end_of_undo(attempt: RemovalAttempt) -> datetime:
    moments = [one for one in (attempt.restorable_until, attempt.move_after) if one]
    return min(moments, default=timezone.now())


@register.simple_tag
def removal_of(candidate: RemovalCandidate) -> dict[str, Any]:
    """The attempts of a candidate, newest first, what may be done with the last one, and what Reclaim would do."""
    attempts = list(candidate.attempts.select_related("restored_by").order_by("-pk")[:10])
    real = next((one for one in attempts if not one.dry_run), None)
    batch = candidate.batch
    in_batch = batch is not None and batch.state in (RemovalBatch.State.OPEN, RemovalBatch.State.QUARANTINED)
    waits = real is not None and real.state in UNSENT
    return {
        "attempts": attempts,
        "last": real,
        "is_ahead": candidate.is_open and (real is None or real.called_at is None or waits),
        "may_reclaim": candidate.state == State.READY and not in_batch,
        "may_resume": candidate.state == State.ATTENTION_REQUIRED and (real is None or real.withdrawn_at is None),
        "may_complete": candidate.state == State.AWAITING_REVOCATION and waits,
        "next_step": first_step.LABELS[first_step.choose(candidate, timezone.now())],
        "rule": rules.settings_of(candidate),
        "choices": decide.choices(real, now=timezone.now()) if real else (),
    }


@register.filter
def guards_of(attempt: RemovalAttempt) -> list[dict[str, Any]]:
    """Every guard's answer at the last time it was asked, with its name and age."""
    answers = attempt.gate_at_call or attempt.gate_at_approval
    return [
        {
            "label": pass_gate.LABELS.get(one["guard"], one["guard"]),
            "answer": one["answer"],
            "detail": one["detail"],
            "request_id": one.get("request_id", ""),
            "at": datetime.fromisoformat(one["at"]) if "at" in one else None,
        }
        for one in answers
    ]


@register.simple_tag
def outlook_of(candidate: RemovalCandidate) -> predict.Outlook:
    """What the gate would say of an open candidate now; empty once it was asked, because its answers stand there."""
    return predict.run(candidate, now=timezone.now())


@register.filter
def files_of(candidate: RemovalCandidate) -> str:
    """What becomes of the files of an open candidate's account, in two sentences."""
    if candidate.profile is None:
        return ""
    return f"{plan.describe_recipient(candidate, candidate.profile)}. {plan.describe_undo(candidate)}."


@register.filter
def savings_of(candidate: RemovalCandidate) -> list[SavingsEntry]:
    """What the ledger has of a candidate."""
    return list(candidate.savings.order_by("pk"))


@register.filter
def time_line_of(attempt: RemovalAttempt) -> list[tuple[str, datetime, str]]:
    """What happened to an attempt, in the order of time, with the vendor's request id of the call that did it."""
    ids = {
        "Vendor called": attempt.withdraw_request_id,
        "Restoring called": attempt.restore_request_id,
        "Move of the files called": attempt.move_request_id,
    }
    moments = (
        ("Approved", attempt.opened_at),
        ("Intent stored", attempt.intent_at),
        ("Vendor called", attempt.called_at),
        ("Vendor answered", attempt.answered_at),
        ("Removed", attempt.withdrawn_at),
        ("License free", attempt.freed_at),
        ("Restoring called", attempt.restore_intent_at),
        ("Restored", attempt.restored_at),
        ("Move of the files called", attempt.move_called_at),
        ("Vendor’s job of the move done", attempt.move_job_done_at),
        ("Files moved", attempt.moved_at),
        ("Late use learned of", attempt.regret_at),
        ("Over", attempt.closed_at),
    )
    happened = [(label, at, ids.get(label, "")) for label, at in moments if at]
    return sorted(happened, key=lambda line: line[1])


@register.filter
def looks_of(attempt: RemovalAttempt) -> list[dict[str, Any]]:
    """What looks at the member said after a lost answer, or at a person's word."""
    return [{**one, "at": datetime.fromisoformat(one["at"])} for one in attempt.looks]


@register.simple_tag
def find_notices(profile: IntegrationProfile) -> list[ProfileNotice]:
    """Why mode automatic does nothing in a profile today, or not all."""
    described = SimpleNamespace(pk=profile.pk, notices=[])
    jump.add_notices([described], timezone.now())
    automatic.add_notices([described], timezone.now())
    found: list[ProfileNotice] = described.notices
    return found


@register.simple_tag
def removals_waiting(profile: IntegrationProfile) -> list[RemovalAttempt]:
    """Removed members of a profile that is not connected to their team now: their files wait, and the clock runs."""
    rows = RemovalAttempt.objects.filter(profile=profile, state=Attempt.REMOVED).select_related("candidate")
    credentials = profile.alias.credentials.all()
    connected = any(one.is_connected for one in credentials)
    waiting = list(rows.order_by("restorable_until")[:50])
    return [one for one in waiting if not connected or one.team_id != profile.team_id]


@register.simple_tag
def regretted_removals() -> list[RemovalAttempt]:
    """Removals that turned out to be wrong and can still be undone."""
    return list(regret.open_alarms()[:10])


@register.simple_tag
def restorable_of(software_model: int | None) -> int:
    """How many removed subscriptions of a software model can still be restored, and would need a right again then."""
    rows = RemovalAttempt.objects.filter(
        state=Attempt.REMOVED,
        withdrawn_at__isnull=False,
        restorable_until__gt=timezone.now(),
        candidate__subscription__identifier__software_model=software_model,
        candidate__subscription__ended_at__isnull=False,
    )
    return rows.count() if software_model else 0
