"""The directory of people as pages show it: who there is, their seats, their manager and their reports."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from samsaas.lib import column_values, search
from subscriptions.models import Match, Person, PersonAddress, Subscription

CURRENT = Q(subscription__ended_at=None, subscription__excluded=False)
SEARCHED = ("name", "key", "department")
MOST_SHOWN = 100
OWN_MANAGER = "Nobody is their own manager: this is the person’s own number."
MOST_CHOICES = 500


def people() -> QuerySet[Person]:
    """Everybody with the number of their current seats, counted row by row: a page shows fifty of them."""
    mine = Match.objects.filter(CURRENT, person=OuterRef("pk")).order_by()
    seats = mine.values("person").annotate(number=Count("pk")).values("number")
    counted = Coalesce(Subquery(seats, output_field=IntegerField()), 0)
    return Person.objects.annotate(seats=counted).prefetch_related("addresses")


def with_a_seat() -> Exists:
    return Exists(Match.objects.filter(CURRENT, person=OuterRef("pk")))


def leavers() -> Q:
    """Whose last day is today or past; a later one is only announced."""
    return Q(left_on__lte=timezone.localdate())


def told_by(people: QuerySet[Person], text: str) -> QuerySet[Person]:
    """Those whose name, number, department or an address holds these letters.

    One list of both kinds of hits, since no index serves an “or” over two tables.
    """
    themselves = search.find(Person.objects.order_by(), text, *SEARCHED).values("pk")
    addressed = search.find(PersonAddress.objects.order_by(), text, "address").values("person")
    return people.filter(pk__in=themselves.union(addressed))


def choices(column: str) -> list[tuple[str, str]]:
    """The values a column has, for a filter."""
    return column_values.choices(Person, column, most=MOST_CHOICES)


def seats_of(person: Person) -> QuerySet[Subscription]:
    """The person's seats, current ones first, with everything a row shows."""
    related = ("profile", "identifier__software_model", "last_activity", "match__rule", "match__by")
    seats = Subscription.objects.filter(match__person=person).select_related(*related)
    return seats.order_by("ended_at", "display_name", "pk")[:MOST_SHOWN]


def manager_unknown(person: Person) -> bool:
    """Whether the person names a manager whose number nobody has (yet)."""
    return bool(person.manager) and not Person.objects.filter(key=person.manager).exists()


def around(person: Person) -> dict[str, Any]:
    """The manager, the direct reports, and which addresses others hold too."""
    reports = Person.objects.filter(manager=person.key).exclude(pk=person.pk)
    addresses = list(person.addresses.all())
    others = PersonAddress.objects.filter(address__in=[one.address for one in addresses]).exclude(person=person)
    return {
        "manager": Person.objects.filter(key=person.manager).first() if person.manager else None,
        "reports": reports[:MOST_SHOWN],
        "reports_total": reports.count(),
        "addresses": addresses,
        "shared": set(others.values_list("address", flat=True)),
    }
