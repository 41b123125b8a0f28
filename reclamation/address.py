"""Whether there is anybody who can be asked about a seat: an address of its user, or of the account itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from reclamation.models import NOT_ABOUT_USE, ReclamationRule
from subscriptions.models import PersonAddress, Subscription
from subscriptions.models.person import has_left

NOBODY_TO_ASK = (
    "There is nobody to ask: neither the user nor the account has an e-mail address that can be written to. Add one to "
    "the user, or close the candidate."
)


def with_address(seats: QuerySet[Subscription]) -> Any:
    """The seats with `has_address`."""
    of_user = PersonAddress.objects.filter(person=OuterRef("match__person"))
    return seats.annotate(has_address=~Q(email="") | Q(Exists(of_user)))


def why_nobody_to_ask(seat: Any, rule: ReclamationRule, justification: str, now: datetime) -> str:
    """Why the user of a seat of `with_address` cannot be asked, although the rule wants it; empty if they can.

    Leavers are never asked.
    """
    left_on = seat.match.person.left_on if hasattr(seat, "match") else None
    asks = rule.notify_user and justification not in NOT_ABOUT_USE
    is_leaver = has_left(left_on, timezone.localtime(now).date())
    return NOBODY_TO_ASK if asks and not is_leaver and not seat.has_address else ""
