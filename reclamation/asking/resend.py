"""Send a failed mail again.

1. The question to a user who is still waited for, a request that is still open, and what asks nothing: the same mail.
2. A question that has failed so that the candidate needs attention: ask anew, with a new link.
3. Of anything else that was asked the time is over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from reclamation import workflow
from reclamation.address import NOBODY_TO_ASK
from reclamation.asking import ask, concerns, notices
from reclamation.models import Notice, RemovalCandidate
from reclamation.states import State
from samsaas import audit, outbox
from samsaas.models import Mail

WITHIN = timedelta(days=7)
OVER = "What it asks is over, so it is not sent again."
NOT_FAILED = "It has not failed, or somebody else has sent it again meanwhile."
RESUMED = "The mail could not be sent. It is asked again."


class NotResent(Exception):
    """The mail is not sent again. The text says why."""


@transaction.atomic
def run(mail: Mail, by: User, now: datetime) -> str:
    """What was done, in a sentence. Raises `NotResent`."""
    notice = Notice.objects.select_related("candidate").filter(mail=mail).first()
    if mail.state != Mail.State.FAILED:
        raise NotResent(NOT_FAILED)
    if notice and notice.kind in notices.ASKING and _needs_new_question(notice.candidate):
        return _ask_anew(notice.candidate, by, now)
    if notice and not _still_asks(notice):
        raise NotResent(OVER)
    end = notice.candidate.deadline if notice and notice.kind == Notice.Kind.REMINDER else None
    if not outbox.resend(mail, give_up_at=end or outbox.first_moment(now) + WITHIN, now=now):
        raise NotResent(NOT_FAILED)
    audit.record(by, "sent mail again", mail)
    return "The mail is queued again."


def _needs_new_question(candidate: RemovalCandidate) -> bool:
    return candidate.state == State.ATTENTION_REQUIRED and candidate.attention.startswith(concerns.LASTING)


def _still_asks(notice: Notice) -> bool:
    """Whether what the mail asks can still be answered. What only informs can always be sent."""
    if notice.kind in notices.ASKING:
        return notice.candidate.state == State.AWAITING_USER and notice.token_hash is not None
    return notice.kind != Notice.Kind.APPROVAL or notice.candidate.state == State.AWAITING_APPROVAL


def _ask_anew(candidate: RemovalCandidate, by: User, now: datetime) -> str:
    try:
        workflow.make_ready(candidate, reason=RESUMED, by=by, now=now, keep_batch=True)
        asked = ask.run(candidate, by, now)
    except ask.NotAsked as refusal:
        raise NotResent(str(refusal)) from refusal
    except workflow.NotAllowed:
        raise NotResent(f"{candidate.number} has moved on meanwhile.") from None
    audit.record(by, "asked again", candidate)
    return f"{candidate.number} is asked again, with a new link." if asked else NOBODY_TO_ASK
