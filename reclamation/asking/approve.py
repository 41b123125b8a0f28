"""Ask an approver about a candidate, and do what they decide.

A question is one row. Whoever answers it first has decided; the answer and what follows from it are one transaction, so
that nothing is decided on a candidate that somebody else has moved meanwhile.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from reclamation import rules, workflow
from reclamation.asking import approvers, go_on, inform, notices, seat_user, standing, tell, wording
from reclamation.asking.ask import RELATED, NotAsked, objection
from reclamation.asking.wording import Wording
from reclamation.models import Approval, KeepAnswer, ReclamationRule, RemovalCandidate
from reclamation.states import State
from samsaas import outbox
from samsaas.lib import mail

Question, Answer = Approval.Question, Approval.Answer
ANSWER_WITHIN = timedelta(days=14)
ASKED = "An approver is asked whether it may be removed."
MOVED_ON = "{candidate} has moved on meanwhile, so there is nothing to decide."
NO_APPROVER = "The rule asks no approver, so there is nobody to ask."
KEPT, REFUSED = "The approver lets the user keep it.", "The approver does not let the user keep it."
APPROVED, REJECTED = "The approver says yes to the removal.", "The approver says no to the removal."
REQUEST = Wording(
    "Please decide: {product} of {name}",
    """Hello,

{what}

Person: {name}
Subscription: {product}
Last use: {last_use}

Sign in and decide by {until}:

{link}

{otherwise}""",
)
WHAT = {
    Question.KEEP_REQUEST: "somebody was asked whether they still need their subscription, and wants to keep it.",
    Question.REMOVAL: "a subscription is to be taken back, and needs your approval.",
}
OTHERWISE = {
    Question.KEEP_REQUEST: "If nobody decides by then, the user keeps it.",
    Question.REMOVAL: "If nobody decides within 30 days, it is not removed.",
}


class NotDecided(Exception):
    """The answer was not taken; nothing was written. The text says why."""


@transaction.atomic
def ask(candidate: RemovalCandidate, by: User | None, now: datetime) -> Approval:
    """Ask about a Ready candidate whose user is not asked: Awaiting Approval. Who has to be told of it is told.

    Raises `ask.NotAsked`, and `workflow.NotAllowed` where the candidate is not Ready, or not any more.
    """
    ready = RemovalCandidate.objects.select_related(*RELATED).get(pk=candidate.pk)
    if ready.state != State.READY:
        raise workflow.NotAllowed
    if refusal := refusal_reason(ready, now):
        raise NotAsked(refusal)
    workflow.ask_approver(ready, reason=ASKED, by=by, now=now)
    inform.run(ready, now)
    candidate.refresh_from_db(fields=["state"])
    return open_question(ready, Question.REMOVAL, now)


def refusal_reason(candidate: RemovalCandidate, now: datetime) -> str:
    """Why no approver is asked about this candidate; empty if nothing speaks against it."""
    if rules.settings_of(candidate).approver == ReclamationRule.Approver.NONE:
        return NO_APPROVER
    return objection(candidate, now)


def open_question(candidate: RemovalCandidate, question: str, now: datetime) -> Approval:
    """Store the question and write to whom it goes. The caller has moved the candidate to Awaiting Approval."""
    asked = approvers.choose(candidate)
    approval = Approval.objects.create(
        candidate=candidate,
        question=question,
        asked_of_group=asked.group,
        asked_of_user=asked.user,
        asked_at=now,
        due_at=now + ANSWER_WITHIN,
    )
    write_to_approvers(approval, now)
    return approval


def write_to_approvers(approval: Approval, now: datetime, *, prefix: str = "") -> int:
    """Queue a mail to everybody who may answer. Returns how many. Each has a link of its own, which needs a sign-in."""
    candidate, question = approval.candidate, Question(approval.question)
    asked = approvers.Asked(approval.asked_of_user, approval.asked_of_group or approvers.sam_admins())
    values = {
        **wording.values_for(candidate),
        "what": WHAT[question],
        "otherwise": OTHERWISE[question],
        wording.UNTIL: wording.date_in_words(approval.due_at),
        wording.LINK: outbox.LINK,
    }
    words = wording.fill(Wording(f"{prefix}{REQUEST.subject}", REQUEST.text), values)
    people = [one for one in approvers.to_write_to(asked, candidate) if not mail.address_problem(one.email)]
    for one in people:
        notices.ask_approval(candidate, one.email, words, due=now + ANSWER_WITHIN, now=now)
    return len(people)


@transaction.atomic
def decide(approval: Approval, answer: str, *, note: str, by: User, now: datetime) -> RemovalCandidate:
    """Take an approver's answer. Raises `NotDecided`; the first answer counts.

    *Approve* a keep request: the user keeps it. *Approve* a removal: it is removed.
    """
    keeps = lets_keep(approval, answer)
    if refusal := approvers.refusal(approval, by, keeps=keeps):
        raise NotDecided(refusal)
    open_row = Approval.objects.filter(pk=approval.pk, at=None)
    is_first = open_row.update(answered_by=by, answer=answer, at=now, note=note)
    candidate = RemovalCandidate.objects.select_related(*RELATED).get(pk=approval.candidate_id)
    if not is_first and Approval.objects.filter(pk=approval.pk, answered_by=None).exists():
        raise NotDecided(MOVED_ON.format(candidate=candidate.number))
    if not is_first:
        raise NotDecided("Somebody else has answered meanwhile.")
    try:
        _keep(approval, candidate, note, by, now) if keeps else _remove(approval, candidate, note, by, now)
    except workflow.NotAllowed:
        raise NotDecided(MOVED_ON.format(candidate=candidate.number)) from None
    return candidate


def lets_keep(approval: Approval, answer: str) -> bool:
    """Whether with this answer the user keeps the seat."""
    return (approval.question == Question.KEEP_REQUEST) == (answer == Answer.APPROVE)


def _keep(approval: Approval, candidate: RemovalCandidate, note: str, by: User, now: datetime) -> None:
    is_request = approval.question == Question.KEEP_REQUEST
    workflow.follow_approver(
        candidate, State.CLOSED_SKIPPED, reason=_with_note(KEPT if is_request else REJECTED, note), by=by, now=now
    )
    until = seat_user.cool_down_end(candidate, now)
    if is_request:
        until = settle_request(candidate, granted=True) or until
        tell.tell_kept(candidate, until=until, now=now)
    else:
        tell.tell_rejected(candidate, REJECTED, now)
        KeepAnswer.objects.create(
            candidate=candidate,
            subscription=candidate.subscription,
            channel=KeepAnswer.Channel.APPROVER,
            reason=note,
            keep_until=until,
            at=now,
            by=by,
            granted=True,
        )
    workflow.keep_seat(candidate, until=until, by=by)


def _remove(approval: Approval, candidate: RemovalCandidate, note: str, by: User, now: datetime) -> None:
    if objection := standing.objection(candidate, now):
        raise NotDecided(f"It must not be removed now. {objection}")
    reason = REFUSED if approval.question == Question.KEEP_REQUEST else APPROVED
    if approval.question == Question.KEEP_REQUEST:
        settle_request(candidate, granted=False)
        tell.tell_not_kept(candidate, now)
    go_on.after_decision(candidate, reason=_with_note(reason, note), by=by, now=now)


def settle_request(candidate: RemovalCandidate, *, granted: bool) -> date | None:
    """Note on the user's request whether it was granted. Returns the day until which they asked to keep it, if any."""
    request = candidate.answers.filter(granted=None).order_by("-pk").first()
    if request is None:
        return None
    request.granted = granted
    request.save(update_fields=["granted"])
    return request.keep_until


def _with_note(reason: str, note: str) -> str:
    return f"{reason} {note}".strip()[:500]
