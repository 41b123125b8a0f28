"""What stands in the way of an action on a selected candidate: a code in SQL, and its words for one and for several."""

from __future__ import annotations

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When

from profiles.connectors import base
from reclamation.models import RemovalAttempt

CLOSED, UNDER_WAY = "closed", "under_way"
WORDS = {
    CLOSED: ("is closed already", "are closed already"),
    UNDER_WAY: ("is being removed (restore it instead)", "are being removed (restore them instead)"),
}


def to_closing() -> Case:
    """A removal that has begun at the vendor is ended by restoring, never by a word."""
    lost = Q(state=RemovalAttempt.State.NEEDS_HUMAN, error_kind=base.AnswerLost.__name__)
    begun = Q(state__in=RemovalAttempt.CALLED) | Q(withdrawn_at__isnull=False) | lost
    attempts = RemovalAttempt.objects.filter(begun, candidate=OuterRef("pk"), closed_at=None, dry_run=False)
    return _first(When(closed_at__isnull=False, then=Value(CLOSED)), When(Exists(attempts), then=Value(UNDER_WAY)))


def to_assigning() -> Case:
    return _first(When(closed_at__isnull=False, then=Value(CLOSED)))


def _first(*cases: When) -> Case:
    return Case(*cases, default=Value(""), output_field=CharField())
