"""What the pages of people show beside a person's own data: seats, manager, direct reports, shared addresses."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from subscriptions.activity import last_used
from subscriptions.models import Person, PersonAddress, Subscription

MOST_SHOWN = 100
OWN_MANAGER = "This is the person’s own employee number. Nobody can be their own manager."


def seats_of(person: Person) -> QuerySet[Subscription]:
    """The person's seats, current ones first, with all that a row shows. At most `MOST_SHOWN`."""
    related = ("profile", "identifier__software_model", "last_activity", "match__rule", "match__by")
    seats = Subscription.objects.filter(match__person=person).select_related(*related)
    seats = last_used.with_idle_facts(seats, timezone.now())
    return seats.order_by("ended_at", "display_name", "pk")[:MOST_SHOWN]


def manager_unknown(person: Person) -> bool:
    """Whether the person names a manager whose employee number nobody in the directory has."""
    return bool(person.manager) and not Person.objects.filter(key=person.manager).exists()


def page_context(person: Person) -> dict[str, Any]:
    """For the person's page: the manager, the direct reports, and which addresses others who are here have."""
    reports = Person.objects.filter(manager=person.key).exclude(pk=person.pk)
    addresses = list(person.addresses.all())
    here = Person.objects.not_leavers().exclude(pk=person.pk)
    others = PersonAddress.objects.filter(address__in=[one.address for one in addresses], person__in=here)
    return {
        "manager": Person.objects.filter(key=person.manager).first() if person.manager else None,
        "reports": reports[:MOST_SHOWN],
        "reports_total": reports.count(),
        "addresses": addresses,
        "former_addresses": list(person.former_addresses.all()),
        "shared": set(others.values_list("address", flat=True)),
    }
