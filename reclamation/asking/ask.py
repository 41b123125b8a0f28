"""Ask the user of a candidate whether they still need their subscription.

1. Refuse where the user is not to be asked, where nobody has reviewed the rule, or where it must not be removed anyway.
2. Without an address the candidate needs a person: Attention Required.
3. Move it to Awaiting User, with a note of whom the question is for.
4. Queue the mail in the same transaction. Links of an earlier question lead nowhere from then on.

The time to answer begins when the mail has been sent, and ends at the end of a local day: `sweep` sets the deadline.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from reclamation import rules, workflow
from reclamation.address import NOBODY_TO_ASK
from reclamation.asking import addressee, notices, seat_user, standing, wording
from reclamation.models import Notice, RemovalBatch, RemovalCandidate
from reclamation.states import State
from samsaas import outbox

ASKED = "The user is asked whether they still need it."
NOT_THE_USER = "Its user is not asked: the rule does not say so, or it is not about use, or the user has left."
NOT_REVIEWED = "Nobody has reviewed its reclamation rule yet, so nobody is asked."
QUARANTINED = "Its batch waits for a second person, so nobody is asked yet."
RELATED = ("rule", "profile", "batch", "subscription__match__person")


class NotAsked(Exception):
    """The user is not asked; nothing was written. The text says why."""


@transaction.atomic
def run(candidate: RemovalCandidate, by: User | None, now: datetime) -> Notice | None:
    """The notice that was queued; None where there is nobody to ask, and the candidate needs attention now.

    Raises `NotAsked`, and `workflow.NotAllowed` where the candidate is not Ready, or not any more.
    """
    ready = RemovalCandidate.objects.select_related(*RELATED).get(pk=candidate.pk)
    if ready.state != State.READY:
        raise workflow.NotAllowed
    if refusal := refusal_reason(ready, now):
        raise NotAsked(refusal)
    notice = None
    if address := addressee.address_of(ready):
        notice = _ask(ready, address, by, now)
    else:
        workflow.apply(ready, State.ATTENTION_REQUIRED, reason=NOBODY_TO_ASK, now=now)
    candidate.refresh_from_db(fields=["state"])
    return notice


def refusal_reason(candidate: RemovalCandidate, now: datetime) -> str:
    """Why the user of this candidate is not asked; empty if nothing speaks against it."""
    if not seat_user.asks_user(candidate, now):
        return NOT_THE_USER
    return objection(candidate, now)


def objection(candidate: RemovalCandidate, now: datetime) -> str:
    """Why nobody at all is asked about this candidate yet, or any more; empty if nothing speaks against it."""
    if candidate.rule is not None and candidate.rule.reviewed_at is None:
        return NOT_REVIEWED
    if candidate.batch is not None and candidate.batch.state == RemovalBatch.State.QUARANTINED:
        return QUARANTINED
    return standing.objection(candidate, now)


def _ask(candidate: RemovalCandidate, address: str, by: User | None, now: datetime) -> Notice:
    person, seat = seat_user.person_of(candidate), candidate.subscription
    days = rules.settings_of(candidate).notice_days
    email = seat.email if seat else candidate.email
    key = person.key if person else ""
    workflow.ask_user(candidate, person_key=key, email=email, by=by, now=now, reason=ASKED)
    notices.end_links(candidate)
    words = wording.question(candidate, until=outbox.day_after(days))
    return notices.ask(candidate, address, words, days=days, now=now)
