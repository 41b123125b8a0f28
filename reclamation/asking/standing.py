"""What has become true since a user was asked, and ends the question: nobody is removed on another person's silence."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from reclamation import guards
from reclamation.models import Exemption, RemovalCandidate
from reclamation.models.rule import ExemptionQuerySet
from samsaas.lib.text_forms import normalize_identifier
from subscriptions.models import Match, Subscription

ANOTHER_PERSON = "Another person now: since the question was asked, the subscription leads to somebody else."
EXEMPT = "Exempt from reclamation."
KEPT = "Somebody decided that it is kept."
REASONS = {
    guards.ENDED: "The account is gone: the vendor no longer lists it.",
    guards.EXCLUDED: "An exclusion rule excludes the subscription.",
    guards.UNMANAGED: "Its software model is not under management any more.",
    guards.AUTHORIZED: "Its account authorizes the connection now, and the files of removed members go to it.",
}


def objection(candidate: RemovalCandidate, now: datetime) -> str:
    """Why a candidate must be skipped, as things are now; empty if nothing speaks against it. A few queries."""
    seat, today = candidate.subscription, timezone.localtime(now).date()
    if seat is None:
        return REASONS[guards.ENDED]
    if code := guards.code_for(seat):
        return REASONS[code]
    if is_another_person(candidate, seat):
        return ANOTHER_PERSON
    if seat.keep_until is not None and seat.keep_until >= today:
        return KEPT
    return EXEMPT if exempt(today).filter(_about(candidate)).exists() else ""


def may_object(now: datetime) -> Q:
    """For candidates: whether `objection` has to be asked. Most need no look of their own."""
    today = timezone.localtime(now).date()
    guarded = Subscription.objects.annotate(guard=guards.first_failing()).exclude(guard="")
    other = Match.objects.exclude(person__key=OuterRef("person_key")).filter(subscription=OuterRef("subscription_id"))
    exempted = exempt(today).filter(
        Q(subscription=OuterRef("subscription_id")) | Q(person__matches__subscription=OuterRef("subscription_id"))
    )
    return (
        Q(subscription=None)
        | Q(subscription__keep_until__gte=today)
        | Q(Exists(guarded.filter(pk=OuterRef("subscription_id"))))
        | (~Q(person_key="") & Q(Exists(other)))
        | Q(Exists(exempted))
    )


def is_another_person(candidate: RemovalCandidate, seat: Subscription | None) -> bool:
    """Whether the candidate's seat leads to somebody else than when its user was asked.

    A seat that lost its user stays theirs.
    """
    now_of = seat.match.person.key if seat is not None and hasattr(seat, "match") else ""
    return bool(candidate.person_key and now_of) and now_of != candidate.person_key


def address_changed(candidate: RemovalCandidate) -> bool:
    """Whether the account has another e-mail address than when its user was asked."""
    seat = candidate.subscription
    return seat is not None and normalize_identifier(seat.email) != normalize_identifier(candidate.email)


def exempt(today: date) -> ExemptionQuerySet:
    """Open exemptions that count today."""
    return Exemption.objects.open().filter(Q(until=None) | Q(until__gte=today))


def _about(candidate: RemovalCandidate) -> Q:
    seat = candidate.subscription
    person = seat.match.person_id if seat is not None and hasattr(seat, "match") else None
    return Q(subscription=seat) | (Q(person=person) if person else Q(pk__in=[]))
