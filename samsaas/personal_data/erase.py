"""Erase a person on request, in one transaction.

1. Lock the person. Refuse while anything about them is not over: a removal, a right, a file that waits.
2. Keep what past positions need: the former user of a subscription becomes a number.
3. Delete and make nameless, place by place.
4. Delete the person; where rights were allocated to them, the record stays as a number.
5. Add an entry to the audit trail, which has the number of the record and how many rows went, and no name.

The preview counts the same places that are erased.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from reclamation.models import RemovalAttempt, RemovalCandidate
from samsaas import audit
from samsaas.personal_data import places, traces
from samsaas.personal_data.places import Fate, Place
from samsaas.personal_data.traces import Traces
from subscriptions import history, rematch, seats_changed
from subscriptions.models import Person, PersonImportRow, Subscription
from subscriptions.people import pseudonym

WAITING_FILES = ("reading", "choosing", "preview", "applying")


class NotOver(Exception):
    """Something about the person is under way. The text says what, and what to do first."""


@dataclass(frozen=True)
class Counted:
    """A place with its number of rows; there are none without any."""

    place: Place
    rows: int


@dataclass(frozen=True)
class Preview:
    """What would happen, by fate, and what stands against it."""

    fates: list[tuple[str, list[Counted]]]
    obstacles: list[str]


def preview(person: Person) -> Preview:
    """What erasing would do."""
    found = traces.find(person)
    counted = [Counted(place, place.rows.count()) for place in places.find(found)]
    by_fate = [(str(fate), [one for one in counted if one.rows and one.place.fate == fate]) for fate in Fate]
    return Preview([(fate, rows) for fate, rows in by_fate if rows], list(_find_obstacles(found)))


@transaction.atomic
def run(person_id: int, *, by: User, now: datetime) -> dict[str, int]:
    """Erase the person; how many rows by place. Raises `NotOver`, or `Person.DoesNotExist`."""
    person = Person.objects.select_for_update(of=("self",)).get(pk=person_id)
    found = traces.find(person)
    if obstacles := list(_find_obstacles(found)):
        raise NotOver(" ".join(obstacles))
    history.keep_before_match(found.seats, now=now)
    counts: dict[str, int] = {}
    for place in places.find(found):
        if (rows := place.rows.count()) and place.fate != Fate.STAYS:
            _erase(place, now)
            counts[place.name] = rows
    profiles = Subscription.objects.filter(pk__in=found.seats).values_list("profile", flat=True)
    seats_changed.note(*profiles)
    audit.record(by, "erased person", None, record=person_id, rows=counts)
    rematch.ask_everywhere(by=by)
    return counts


def _erase(place: Place, now: datetime) -> None:
    if place.fate == Fate.DELETED:
        place.rows.delete()
    elif place.changes:
        place.rows.update(**place.changes)
    else:
        pseudonym.run(place.rows.all(), now)


def _find_obstacles(found: Traces) -> Iterator[str]:
    for one in RemovalCandidate.objects.filter(pk__in=found.candidates, closed_at=None):
        yield f"Removal candidate {one.number} is not decided. Close it first."
    under_way = RemovalAttempt.objects.filter(candidate__in=found.candidates, closed_at=None)
    for attempt in under_way.select_related("candidate"):
        number, day = attempt.candidate.number, attempt.restorable_until
        until = f", until {timezone.localdate(day):%-d %b %Y} at the latest" if day else ""
        yield f"The removal of {number} is not over{until}. Wait for its end."
    for allocation in found.person.allocations.open().select_related("entitlement"):
        yield f"A right of {allocation.entitlement} is allocated to the person. Release it first."
    waiting = PersonImportRow.objects.filter(key=found.person.key, upload__state__in=WAITING_FILES)
    for name in waiting.values_list("upload__file_name", flat=True):
        yield f"The file {name} waits for a confirmation and has the person’s number. Apply or discard it first."
