"""Ask the user of a candidate whether it is still needed."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User

from reclamation import workflow
from reclamation.models import RemovalCandidate

ASKED = "The user is asked whether they still need it."


class NotAsked(Exception):
    """The user is not asked; nothing was written. The text says why."""


def run(candidate: RemovalCandidate, by: User | None, now: datetime) -> None:
    """Move the candidate to Awaiting User. Raises `NotAsked` and `workflow.NotAllowed`."""
    seat = candidate.subscription
    if seat is None:
        raise NotAsked("Its subscription is no longer kept here.")
    key = seat.match.person.key if hasattr(seat, "match") else ""
    workflow.ask_user(candidate, person_key=key, email=seat.email, by=by, now=now, reason=ASKED)
