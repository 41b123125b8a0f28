"""Replace what names a person by the number of their record, where the record itself has to stay.

Rights that are or were allocated to somebody count in positions of past days, so their record is not deleted.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat

from subscriptions.models import FormerAddress, Person, PersonAddress
from subscriptions.models.person import PersonQuerySet

KEY, NAME = "erased-", "Erased person "


def named() -> PersonQuerySet:
    """Everybody but those whose name was replaced."""
    return Person.objects.exclude(Q(key__startswith=KEY) & Q(name__startswith=NAME))


def run(people: QuerySet[Person], now: datetime) -> int:
    """Replace number and name, and empty the rest. Without a last day, they count as having left. Returns how many."""
    keys = list(people.values_list("pk", flat=True))
    for model in (PersonAddress, FormerAddress):
        model.objects.filter(person__in=keys).delete()
    return Person.objects.filter(pk__in=keys).update(
        key=_numbered(KEY),
        compared_key=_numbered(KEY),
        name=_numbered(NAME),
        compared_name=_numbered(NAME.lower()),
        **dict.fromkeys(("department", "manager", "cost_center", "country"), ""),
        account=None,
        left_on=Coalesce(F("left_on"), Value(now.date())),
        updated_at=now,
    )


def _numbered(text: str) -> Concat:
    return Concat(Value(text), Cast("pk", CharField()))
