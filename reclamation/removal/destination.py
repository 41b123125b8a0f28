"""To whom the files of a removed member go, and who gets the vendor's mails about the transfer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Q, When

from profiles.models import IntegrationProfile
from profiles.oauth import scopes
from reclamation import rules
from reclamation.models import ReclamationRule, RemovalAttempt
from subscriptions.models import Subscription

State = RemovalAttempt.State
TRANSFER_TIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Destination:
    """The account that receives the files and the administrator of the transfer, by the vendor's ids.

    An id is empty where nobody is known.
    """

    external_id: str
    transfer_admin: str


def find(attempt: RemovalAttempt) -> Destination:
    """Where the files of this attempt go as things are now. A destination that a person chose for it stays.

    The administrator who connected is looked up each time: after *Get OAuth Token* by another one, files that have not
    been moved yet go to that one.
    """
    admin = connected_admin(attempt.profile)
    if attempt.destination_external_id:
        return Destination(attempt.destination_external_id, admin)
    rule = rules.settings_of(attempt.candidate)
    if rule.destination == ReclamationRule.Destination.NAMED:
        return Destination(rule.destination_external_id, admin)
    if rule.destination == ReclamationRule.Destination.MANAGER:
        return Destination(_account_of_manager(attempt), admin)
    return Destination(admin, admin)


def receiving(profile: IntegrationProfile, *, now: datetime) -> frozenset[str]:
    """The accounts of the team to which files are on their way at our word.

    Files that go with the removal itself have no move of their own that could be followed. They count as on their way
    for ten minutes after it, as those of a move do after its job.
    """
    attempts = RemovalAttempt.objects.filter(vendor=profile.vendor, team_id=profile.team_id)
    attempts = attempts.exclude(destination_external_id="")
    under_way = Q(state__in=(State.CALLING, State.JOB, State.MOVING))
    with_removal = Q(state=State.CLOSED, moved_by="", moved_at__gt=now - TRANSFER_TIME)
    return frozenset(attempts.filter(under_way | with_removal).values_list("destination_external_id", flat=True))


def connected_admin(profile: IntegrationProfile | None) -> str:
    """The vendor's id of the administrator who authorized the connection; empty where that is not known."""
    credential = scopes.reclamation_admin(profile) if profile else None
    return credential.admin_external_id if credential else ""


def _account_of_manager(attempt: RemovalAttempt) -> str:
    """The current seat, in this profile, of the manager of the candidate's user; empty where there is none.

    Of several seats an active one, since only such an account can receive files.
    """
    seat = attempt.candidate.subscription
    person = seat.match.person if seat and hasattr(seat, "match") else None
    if person is None or not person.manager:
        return ""
    found = Subscription.objects.listed().filter(profile=attempt.profile, match__person__key=person.manager)
    active_first = Case(When(status=Subscription.Status.ACTIVE, then=0), default=1)
    return found.order_by(active_first, "pk").values_list("external_id", flat=True).first() or ""
