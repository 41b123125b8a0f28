"""Create, change or delete one person by hand.

1. Refuse a change if somebody else has changed the person since the form was opened.
2. Replace all addresses. The first one is shown in lists.
3. Record what changed in the audit trail.
4. Request matching for all profiles if the employee number or an address changed.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from samsaas import audit
from samsaas.lib import edits
from subscriptions import rematch
from subscriptions.models import Person, PersonAddress

FIELDS = ("key", "name", "department", "manager", "cost_center", "country", "left_on")


@transaction.atomic
def create(data: dict[str, Any], *, by: User) -> Person:
    """Create a person from the cleaned data of the form."""
    person = Person.objects.create(**{field: data[field] for field in FIELDS})
    _replace_addresses(person, data["addresses"])
    audit.record(by, "created person", person)
    rematch.ask_everywhere(by=by)
    return person


@transaction.atomic
def change(person_id: int, data: dict[str, Any], *, by: User) -> Person:
    """Store changes. Raises `edits.EditConflict`; nothing is written then."""
    person = Person.objects.select_for_update().get(pk=person_id)
    edits.refuse_stale(data["version"], version(person))
    changes = edits.set_changed(person, data, FIELDS)
    person.save()
    old_addresses = [one.address for one in person.addresses.all()]
    if old_addresses != data["addresses"]:
        _replace_addresses(person, data["addresses"])
        changes.add("addresses", ", ".join(old_addresses), ", ".join(data["addresses"]))
    audit.record(by, "changed person", person, before=changes.before, after=changes.after)
    if {"key", "addresses"} & changes.after.keys():
        rematch.ask_everywhere(by=by)
    return person


@transaction.atomic
def delete(person: Person, *, by: User) -> None:
    """Delete the person with their addresses and matches. Their seats stay, without a user."""
    audit.record(by, "deleted person", person, number=person.key, matches=person.matches.count())
    person.delete()
    rematch.ask_everywhere(by=by)


def version(person: Person) -> str:
    """A text that changes with every save, to notice an edit conflict."""
    return person.updated_at.isoformat()


def _replace_addresses(person: Person, addresses: list[str]) -> None:
    person.addresses.all().delete()
    PersonAddress.objects.bulk_create([PersonAddress(person=person, address=address) for address in addresses])
