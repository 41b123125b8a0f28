"""The demo's directory: employees for the members of the sandbox's teams, with the usual gaps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction

from subscriptions.models import Person, PersonAddress, normalize_address

DEPARTMENTS = ("Sales", "Engineering", "Finance", "Marketing", "Operations", "Legal", "Human Resources", "Design")
COUNTRIES = ("DE", "FR", "PL", "JP", "IN", "US", "BR", "ES")
LEFT = timedelta(days=54)  # before the sandbox's first day


@transaction.atomic
def create_people(teams: Iterable[Any]) -> int:
    """Create people for the members of these teams, unless there are people already. Returns how many.

    One member in twelve gets no person, one in fifteen has left, and one in twenty has another address, so that the
    list *Subscriptions without user* has rows.
    """
    if Person.objects.exists():
        return 0
    people, addresses = [], []
    everybody = [(member["profile"], team.first_day) for team in teams for member in team.members]
    for number, (profile, first_day) in enumerate(everybody):
        if number % 12 == 7:
            continue
        key = f"P{number:05d}"
        address = f"{key.lower()}@people.example" if number % 20 == 13 else profile["email"]
        people.append(
            Person(
                key=key,
                name=profile["name"]["display_name"],
                department=DEPARTMENTS[number % len(DEPARTMENTS)],
                manager=f"P{number % 9:05d}" if number > 8 else "",
                cost_center=f"{4000 + 10 * (number % len(DEPARTMENTS))}",
                country=COUNTRIES[number % len(COUNTRIES)],
                left_on=first_day - LEFT if number % 15 == 14 else None,
            )
        )
        addresses.append(normalize_address(address))
    made = Person.objects.bulk_create(people)
    PersonAddress.objects.bulk_create(
        PersonAddress(person=person, address=address) for person, address in zip(made, addresses, strict=True)
    )
    return len(made)
