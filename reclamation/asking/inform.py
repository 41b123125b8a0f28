"""Tell somebody about a candidate, without asking anything.

Who has left is not written to; their manager is told. Of Unlicensed and Restricted Software the user is told.
"""

from __future__ import annotations

from datetime import datetime

from reclamation.asking import addressee, notices, seat_user, wording
from reclamation.asking.wording import Wording
from reclamation.models import Notice, RemovalCandidate
from samsaas.lib import mail

TO_USER = Wording(
    "Your {product} is to be taken back",
    """Hello {name},

your subscription of {product} at {organization} is to be taken back: {why}.

You need not do anything. If you think that this is a mistake, tell the people who manage the software licenses.""",
)
TO_MANAGER = Wording(
    "{product} of somebody who has left",
    """Hello,

{name}, who reported to you, has left {organization}. Their subscription of {product} is to be taken back.

You need not do anything. If their files are still needed, tell the people who manage the software licenses.""",
)
WHY = {
    RemovalCandidate.Justification.UNLICENSED: "no license covers it",
    RemovalCandidate.Justification.RESTRICTED_SOFTWARE: "the software may not be used here",
}


def run(candidate: RemovalCandidate, now: datetime) -> Notice | None:
    """Queue what has to be told where a removal goes on without asking the user; None if nothing has to be."""
    values = wording.values_for(candidate)
    if seat_user.is_leaver(candidate, now):
        manager = addressee.manager_of(candidate)
        address, words = addressee.address_of_person(manager) if manager else "", TO_MANAGER
    elif candidate.justification in WHY:
        values["why"] = WHY[RemovalCandidate.Justification(candidate.justification)]
        address, words = addressee.address_of(candidate), TO_USER
    else:
        return None
    if not address or mail.address_problem(address):
        return None
    return notices.inform(candidate, address, wording.fill(words, values), now=now)
