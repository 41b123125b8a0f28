"""What can go wrong with a question, so that a person has to look, and which of it is over by itself."""

from __future__ import annotations

from reclamation.address import NOBODY_TO_ASK
from reclamation.asking import addressee
from reclamation.models import RemovalCandidate

LONGEST = RemovalCandidate._meta.get_field("attention").max_length or 0
NOT_SENT = "No mail to the user could be sent:"
ONLY_KEPT = (
    "The question was only kept in the outbox, because no mail server is set (EMAIL_URL), so the user has not got it."
)
ADDRESS_CHANGED = "The account’s e-mail address changed after the user was asked. Ask again."
LASTING = (NOT_SENT, ONLY_KEPT, ADDRESS_CHANGED)


def not_sent(error: str) -> str:
    """The concern where every mail failed, with what the mail server said last."""
    return f"{NOT_SENT} {error or 'it was withdrawn.'}"[:LONGEST]


def still_stands(candidate: RemovalCandidate) -> bool:
    """Whether a candidate needs attention because of its question, and a refresh cannot say that this is over."""
    if candidate.attention == NOBODY_TO_ASK:
        return not addressee.address_of(candidate)
    return candidate.attention.startswith(LASTING)
