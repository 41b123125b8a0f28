"""Mails, answers and approvals of a candidate in words and pills."""

from __future__ import annotations

from typing import Any

from django import template

from reclamation import rules
from reclamation.asking import wording
from reclamation.models import Approval, KeepAnswer, RemovalCandidate
from samsaas.lib.markup import outside, pill
from samsaas.models import Mail
from subscriptions.models import Entitlement

register = template.Library()
ANSWERS = {
    (Approval.Question.KEEP_REQUEST, Approval.Answer.APPROVE): ("yes", "The user keeps it"),
    (Approval.Question.KEEP_REQUEST, Approval.Answer.REJECT): ("no", "Keep refused"),
    (Approval.Question.REMOVAL, Approval.Answer.APPROVE): ("yes", "Removal approved"),
    (Approval.Question.REMOVAL, Approval.Answer.REJECT): ("no", "Not removed"),
}
GRANTED = {None: ("waiting", "Not decided"), True: ("yes", "Kept"), False: ("no", "Not kept")}


@register.simple_tag
def mail_pill(mail: Mail) -> str:
    """The state of a mail. One that never left says so."""
    return (
        pill("kept", "Kept here")
        if mail.kept and mail.state == Mail.State.SENT
        else pill(mail.state, mail.get_state_display())
    )


@register.filter
def mail_kind(mail: Mail) -> str:
    """What kind of mail it is."""
    notice = getattr(mail, "notice", None)
    if notice is not None:
        return str(notice.get_kind_display())
    return "Renewal reminder" if mail.renewal_reminders.all() else "Test"


@register.filter
def mail_subject(mail: Mail) -> RemovalCandidate | Entitlement | None:
    """The candidate or the entitlement that a mail is about. A test is about nothing."""
    notice = getattr(mail, "notice", None)
    if notice is not None:
        candidate: RemovalCandidate = notice.candidate
        return candidate
    return next((one.entitlement for one in mail.renewal_reminders.all()), None)


@register.simple_tag
def approval_pill(approval: Approval) -> str:
    """The answer, or that there is none yet or never was."""
    if approval.at is None:
        return pill("waiting", "Waiting")
    key = (Approval.Question(approval.question), Approval.Answer(approval.answer)) if approval.answer else None
    return pill(*ANSWERS[key]) if key in ANSWERS else pill("ended", "Over without an answer")


@register.simple_tag
def answer_pill(answer: KeepAnswer) -> str:
    """Whether a user's wish to keep it was granted."""
    return pill(*GRANTED[answer.granted])


@register.filter
def asked_of_words(approval: Approval) -> str:
    """To whom a question goes."""
    user, group = approval.asked_of_user, approval.asked_of_group
    if user is not None and user.is_active:
        return user.get_full_name() or user.get_username()
    return group.name if group else "sam_admin"


@register.simple_tag
def asking_of(candidate: RemovalCandidate) -> dict[str, Any]:
    """What was asked and answered about a candidate: mails, answers, approvals."""
    return {
        "notices": list(candidate.notices.select_related("mail").defer("mail__secret")),
        "answers": list(candidate.answers.select_related("by")),
        "approvals": list(candidate.approvals.select_related("asked_of_user", "asked_of_group", "answered_by")),
    }


@register.filter
def outside_line(line: str) -> str:
    """A line of a mail; an empty one keeps its height."""
    return outside(line) if line.strip() else "\N{NO-BREAK SPACE}"


@register.filter
def last_use_words(candidate: RemovalCandidate) -> str:
    """The last use that the evidence knows, in words."""
    return wording.last_use(candidate)


@register.filter
def product_words(candidate: RemovalCandidate) -> str:
    """What the subscription is of."""
    return wording.product(candidate)


@register.filter
def notice_days(candidate: RemovalCandidate) -> int:
    """How many days the user has, or would have, to answer."""
    return rules.settings_of(candidate).notice_days
