"""Create, change or delete one person by hand.

1. Refuse a change if somebody else has changed the person since the form was opened.
2. Replace all addresses. The first one is shown in lists. One that is taken off becomes a former address.
3. Record what changed in the audit trail.
4. Request matching for all profiles if anything changed that matching reads.

`preview_save` and `preview_delete` say before that which seats would change their user.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from samsaas import audit
from samsaas.lib import edits
from subscriptions import rematch
from subscriptions.models import FormerAddress, Person, PersonAddress
from subscriptions.users import compare, overlay
from subscriptions.users.compare import UserChanges
from subscriptions.users.overlay import ChangedPerson

FIELDS = ("key", "name", "department", "manager", "cost_center", "country", "left_on")
# What matching reads: a last day decides who goes before whom.
MATCHED_BY = {"key", "addresses", "former addresses", "left_on"}
NEW = -1  # stands for the id of a person who has none yet


def preview_save(person: Person, data: dict[str, Any], *, most: int = compare.SHOWN) -> UserChanges:
    """Which seats would change their user if the person, new or not, were saved with the cleaned data of the form."""
    today = timezone.localdate()
    return compare.of_people([_as_changed(person, data, today)], today=today, most=most)


def preview_delete(person: Person, *, most: int = compare.SHOWN) -> UserChanges:
    """Which seats would change their user if the person were deleted."""
    return compare.of_people(
        [ChangedPerson(person.pk, person.key, person.name, deleted=True)], today=timezone.localdate()
    )


@transaction.atomic
def create(data: dict[str, Any], *, by: User) -> Person:
    """Create a person from the cleaned data of the form."""
    person = Person.objects.create(**{field: data[field] for field in FIELDS})
    _store_addresses(_as_changed(person, data, timezone.localdate()))
    audit.record(by, "created person", person)
    rematch.ask_everywhere(by=by)
    return person


@transaction.atomic
def change(person_id: int, data: dict[str, Any], *, by: User) -> Person:
    """Store changes. Raises `edits.EditConflict`; nothing is written then."""
    person = Person.objects.select_for_update().get(pk=person_id)
    edits.refuse_stale(data["version"], version(person))
    before, after = overlay.stored_as(person), _as_changed(person, data, timezone.localdate())
    changes = edits.set_changed(person, data, FIELDS)
    person.save()
    if before.addresses != after.addresses or set(before.former) != set(after.former):
        _store_addresses(after)
    if before.addresses != after.addresses:
        changes.add("addresses", ", ".join(before.addresses), ", ".join(after.addresses))
    former = [address for address, _ in before.former]
    if data.get("former_addresses", former) != former:
        changes.add("former addresses", ", ".join(former), ", ".join(data["former_addresses"]))
    audit.record(by, "changed person", person, before=changes.before, after=changes.after)
    if MATCHED_BY & changes.after.keys():
        rematch.ask_everywhere(by=by)
    return person


class HoldsRights(Exception):
    """Rights are or were allocated to the person, so a position of a past day needs them. The text says so."""


@transaction.atomic
def delete(person: Person, *, by: User) -> None:
    """Delete the person with their addresses and matches. Their seats stay, without a user. Raises `HoldsRights`."""
    if person.allocations.exists():
        raise HoldsRights(f"{person} has or had allocated rights. Keep the person, with their last day.")
    audit.record(by, "deleted person", person, number=person.key, matches=person.matches.count())
    person.delete()
    rematch.ask_everywhere(by=by)


def version(person: Person) -> str:
    """A text that changes with every save, to notice an edit conflict."""
    return person.updated_at.isoformat()


def _as_changed(person: Person, data: dict[str, Any], today: date) -> ChangedPerson:
    """The person as the form has them. The stored addresses are read; the fields of `person` may be changed already."""
    stored = overlay.stored_as(person) if person.pk else ChangedPerson(NEW)
    known = dict(stored.former)
    given = data.get("former_addresses", list(known))
    former = [(address, known.get(address, today)) for address in given]
    told = replace(stored, key=data["key"], name=data["name"], left_on=data["left_on"], former=former)
    return overlay.rename_addresses(told, data["addresses"], today)


def _store_addresses(person: ChangedPerson) -> None:
    PersonAddress.objects.filter(person=person.person_id).delete()
    FormerAddress.objects.filter(person=person.person_id).delete()
    PersonAddress.objects.bulk_create(
        [PersonAddress(person_id=person.person_id, address=address) for address in person.addresses]
    )
    FormerAddress.objects.bulk_create(
        [FormerAddress(person_id=person.person_id, address=address, until=until) for address, until in person.former]
    )
