"""The user of a candidate's seat: who that is, whether they are asked, and until when they may keep it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone

from reclamation import rules
from reclamation.models import RemovalCandidate
from subscriptions.models import Person
from subscriptions.models.person import has_left


def person_of(candidate: RemovalCandidate) -> Person | None:
    """Whom the candidate's seat leads to now."""
    seat = candidate.subscription
    return seat.match.person if seat is not None and hasattr(seat, "match") else None


def is_leaver(candidate: RemovalCandidate, now: datetime) -> bool:
    """Whether its user has left. Who has left is not asked."""
    person = person_of(candidate)
    left = person is not None and has_left(person.left_on, timezone.localtime(now).date())
    return left or (person is None and candidate.is_leaver)


def asks_user(candidate: RemovalCandidate, now: datetime) -> bool:
    """Whether the user is asked before anything is removed. If not, an approver is asked, where there is one."""
    wanted = rules.settings_of(candidate).notify_user and candidate.is_about_use
    return wanted and not is_leaver(candidate, now)


def cool_down_end(candidate: RemovalCandidate, now: datetime) -> date:
    """The last day on which a seat that was kept now is left alone, where nobody has named another one."""
    return timezone.localtime(now).date() + timedelta(days=rules.settings_of(candidate).cool_down_days)


def latest_keep(today: date) -> date:
    """The last day until which a user may keep a seat: a year ahead."""
    try:
        return today.replace(year=today.year + 1)
    except ValueError:  # 29 February
        return today.replace(year=today.year + 1, day=28)
