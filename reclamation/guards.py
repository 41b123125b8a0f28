"""What forbids to remove a seat: one list, for opening a candidate and for every later look at it.

Each guard is a condition on a seat in SQL, so that one query judges one seat or a thousand. What a person is told
of a seat whose removal is pending stands here; `propose` has its own words for whoever proposes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Value, When

from profiles.models import Credential
from reclamation.models import Exemption, RemovalAttempt
from reclamation.reasons import Reason
from subscriptions.models import Subscription

ENDED, OTHER_TEAM, EXCLUDED = Reason.ENDED.value, Reason.OTHER_TEAM.value, Reason.EXCLUDED.value
UNMANAGED, AUTHORIZED = Reason.NOT_MANAGED.value, Reason.AUTHORIZED_CONNECTION.value
AUTHORIZER_UNKNOWN = Reason.AUTHORIZER_UNKNOWN.value

SENTENCES = {
    ENDED: "The account is gone: the vendor no longer lists it.",
    OTHER_TEAM: "Its profile is connected to another team now.",
    EXCLUDED: "An exclusion rule excludes the subscription.",
    UNMANAGED: "Its software model is not under management any more.",
    AUTHORIZED: "Its account authorizes the connection now, and the files of removed members go to it.",
    AUTHORIZER_UNKNOWN: "It is an administrator, and nobody knows which one authorized the connection.",
}
EXEMPT = "An exemption protects the subscription or its user."


@dataclass(frozen=True)
class Guard:
    """A reason not to remove a seat, and the condition under which it stands in the way."""

    code: str
    condition: Q


def _authorized_a_connection() -> Q:
    """The account gave the token of the seat's own profile, and the files of removed members go to it."""
    credentials = Credential.objects.filter(
        alias=OuterRef("profile__alias"), admin_external_id=OuterRef("external_id")
    ).exclude(admin_external_id="")
    return Q(Exists(credentials))


def _authorizer_unknown() -> Q:
    """An administrator, while the vendor did not say which administrator gave a token of the seat's profile."""
    credentials = Credential.objects.filter(
        alias=OuterRef("profile__alias"), admin_external_id="", authorized_at__isnull=False
    )
    return Q(is_admin=True) & Q(Exists(credentials))


GUARDS = (
    Guard(ENDED, Q(ended_at__isnull=False)),
    Guard(OTHER_TEAM, Q(known_since__lt=F("profile__team_since"))),
    Guard(EXCLUDED, Q(excluded=True)),
    Guard(UNMANAGED, Q(identifier__software_model__under_management=False)),
    Guard(AUTHORIZED, _authorized_a_connection()),
    Guard(AUTHORIZER_UNKNOWN, _authorizer_unknown()),
)


def first_failing() -> Case:
    """For `annotate` on seats: the code of the first guard in the way; empty if there is none."""
    cases = [When(guard.condition, then=Value(guard.code)) for guard in GUARDS]
    return Case(*cases, default=Value(""), output_field=CharField())


def code_for(seat: Subscription) -> str:
    """The code of the first guard in the way of this seat as it is now; empty if there is none. One query."""
    found = Subscription.objects.filter(pk=seat.pk).annotate(guard=first_failing()).values_list("guard", flat=True)
    return found.first() or ""


def is_exempt(today: date) -> Q:
    """The condition for seats that an exemption, of their own or of their user, takes out today."""
    valid = Exemption.objects.valid_on(today)
    return Q(Exists(valid.filter(subscription=OuterRef("pk")))) | Q(
        Exists(valid.filter(person=OuterRef("match__person")))
    )


def is_kept(today: date) -> Q:
    """The condition for seats that a person decided to keep until today or later."""
    return Q(keep_until__gte=today)


def is_being_removed() -> Q:
    """The condition for candidates whose removal has begun at the vendor and is not over. Facts do not close them."""
    begun = RemovalAttempt.objects.filter(candidate=OuterRef("pk"), closed_at=None, dry_run=False)
    return Q(Exists(begun.exclude(state__in=(RemovalAttempt.State.APPROVED, RemovalAttempt.State.GATED))))
