"""The user's answer by the link: it can only keep.

1. Find the question by the link's hash. Unknown, altered and expired links are one and the same to the visitor.
2. Move the candidate, if it still waits for its user and the time is not over: the database decides a race with the
   sweep, and whoever comes second sees the outcome.
3. Store the answer. Without an approver it is granted at once; otherwise one is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from reclamation import rules, workflow
from reclamation.asking import approve, notices, seat_user
from reclamation.models import Approval, KeepAnswer, Notice, ReclamationRule, RemovalCandidate
from reclamation.states import State
from samsaas import audit
from samsaas.lib import office_hours

VALID, USED, EXPIRED, CLOSED = "valid", "used", "expired", "closed"
KEEPS = "The user keeps it, by the link in the mail."
NO_APPROVER = "The rule asks no approver, so it is kept."


@dataclass(frozen=True)
class KeepLink:
    """What a link leads to. Of an unknown one, which is *expired*, there is nothing else."""

    state: str
    notice: Notice | None = None
    answer: KeepAnswer | None = None


class NotKept(Exception):
    """The link cannot keep it, or not any more; nothing was written. `link` says how things are now."""

    def __init__(self, link: KeepLink) -> None:
        super().__init__(link.state)
        self.link = link


def look(token: str, now: datetime) -> KeepLink:
    """What the link leads to at this moment. Looking changes nothing."""
    notice = notices.find(token, notices.ASKING)
    if notice is None:
        return KeepLink(EXPIRED)
    candidate = notice.candidate
    if answer := candidate.answers.filter(channel=KeepAnswer.Channel.LINK).last():
        return KeepLink(USED, notice, answer)
    if candidate.deadline is not None and candidate.deadline < now:
        return KeepLink(EXPIRED)
    return KeepLink(VALID if candidate.state == State.AWAITING_USER else CLOSED, notice)


@transaction.atomic
def run(token: str, reason: str, until: date | None, now: datetime) -> KeepAnswer:
    """Keep the seat of this link's question. Raises `NotKept`. The form has checked reason and day."""
    link = look(token, now)
    if link.state != VALID or link.notice is None:
        raise NotKept(link)
    candidate = link.notice.candidate
    asks_approver = rules.settings_of(candidate).approver != ReclamationRule.Approver.NONE
    to = State.AWAITING_APPROVAL if asks_approver else State.CLOSED_SKIPPED
    words = KEEPS if asks_approver else f"{KEEPS} {NO_APPROVER}"
    try:
        workflow.answer_keep(candidate, to, reason=words, now=now)
    except workflow.NotAllowed:
        raise NotKept(look(token, now)) from None
    _note_use(link.notice, now)
    answer = _store(candidate, reason, until, now, granted=None if asks_approver else True)
    if asks_approver:
        candidate.refresh_from_db(fields=["state"])
        approve.open_question(candidate, Approval.Question.KEEP_REQUEST, now)
    else:
        workflow.keep_seat(candidate, until=until or seat_user.cool_down_end(candidate, now), by=None)
    return answer


def _note_use(notice: Notice, now: datetime) -> None:
    """The link was used. Whoever answers before the mail is noted as sent has the mail, and its days begin now."""
    end = notice.expires_at
    if end is None and notice.answer_days is not None:
        end = office_hours.end_of_day(timezone.localtime(now).date() + timedelta(days=notice.answer_days))
    Notice.objects.filter(pk=notice.pk).update(used_at=now, expires_at=end)


def _store(
    candidate: RemovalCandidate, reason: str, until: date | None, now: datetime, *, granted: bool | None
) -> KeepAnswer:
    audit.record(None, "kept by link", candidate, until=str(until or ""), granted=str(granted))
    return KeepAnswer.objects.create(
        candidate=candidate,
        subscription=candidate.subscription,
        channel=KeepAnswer.Channel.LINK,
        reason=reason,
        keep_until=until,
        at=now,
        granted=granted,
    )
