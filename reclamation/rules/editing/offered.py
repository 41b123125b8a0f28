"""The values that a rule's conditions can be limited to, however many there are.

A few are all shown. Of many only the chosen ones are, and those that a search finds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from profiles.models import IntegrationProfile
from reclamation.models import ReclamationRule
from reclamation.models.rule import CONDITIONS
from samsaas.lib import column_values, search as text_search
from subscriptions.models import Person, SubscriptionIdentifier

FEW, MOST_FOUND = 24, 50
INDEXED = ("department", "country")  # their values are read by jumping through the index


@dataclass(frozen=True)
class Offer:
    """What a condition can be limited to. `is_cut`: there are more values than are shown, so a search finds them."""

    choices: tuple[tuple[str, str], ...]
    is_cut: bool
    found: int | None = None

    @property
    def message(self) -> str:
        """What a search found, in words; empty without one."""
        if self.found is None:
            return ""
        if self.found > MOST_FOUND:
            return f"More than {MOST_FOUND} match; these are the first. Search for more letters."
        return f"{self.found} found. Tick what you want." if self.found else "Nothing matches."


def offer_values(rule: ReclamationRule, key: str, chosen: Collection[str], search: str = "") -> Offer:
    """The choices for one condition: what the rule has, what was chosen, and what else there is or a search finds.

    A value that nothing has any more stays a choice of the rule that has it, so that it can be taken out.
    """
    source = ListedValues(rule, key) if key in ("profile", "identifier") else ColumnValues(key)
    rows = source.first(FEW + 1)
    offered = source.labels([str(value) for value in rule.conditions.get(key, [])])
    if len(rows) <= FEW:
        return Offer(tuple((offered | dict(rows)).items()), is_cut=False)
    matching = source.search(search, MOST_FOUND + 1) if search else []
    offered |= dict(source.existing(chosen)) | dict(matching[:MOST_FOUND])
    return Offer(tuple(offered.items()), is_cut=True, found=len(matching) if search else None)


def as_condition(key: str, values: list[str]) -> list[Any]:
    """The chosen values as the rule keeps them."""
    return [CONDITIONS[key](value) for value in values]


class ListedValues:
    """The profiles of the rule's vendors, or the seat types of its software model: few enough to read them all."""

    def __init__(self, rule: ReclamationRule, key: str) -> None:
        kinds = SubscriptionIdentifier.objects.filter(software_model=rule.software_model_id)
        if key == "profile":
            profiles = IntegrationProfile.objects.filter(vendor__in=kinds.values("vendor"))
            named = profiles.order_by("display_name", "pk").values_list("pk", "display_name")
            self.rows = [(str(pk), name) for pk, name in named]
        else:
            names = kinds.order_by("identifier").values_list("identifier", flat=True).distinct()
            self.rows = [(name, name) for name in names]

    def first(self, most: int) -> list[tuple[str, str]]:
        return self.rows[:most]

    def search(self, text: str, most: int) -> list[tuple[str, str]]:
        return [row for row in self.rows if text_search.is_in(text, row[1])][:most]

    def existing(self, values: Collection[str]) -> list[tuple[str, str]]:
        return [row for row in self.rows if row[0] in values]

    def labels(self, values: list[str]) -> dict[str, str]:
        known = dict(self.rows)
        return {value: known.get(value, f"{value}, which is gone") for value in values}


class ColumnValues:
    """The values of a column of the directory, of which there may be any number."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.values = Person.objects.exclude(**{key: ""}).order_by(key).values_list(key, flat=True).distinct()

    def first(self, most: int) -> list[tuple[str, str]]:
        if self.key in INDEXED:
            return column_values.choices(Person, self.key, most=most)
        return self._as_rows(self.values[:most])

    def search(self, text: str, most: int) -> list[tuple[str, str]]:
        return self._as_rows(text_search.find(self.values, text, self.key)[:most])

    def existing(self, values: Collection[str]) -> list[tuple[str, str]]:
        return self._as_rows(self.values.filter(**{f"{self.key}__in": list(values)})) if values else []

    def labels(self, values: list[str]) -> dict[str, str]:
        return {value: value for value in values}

    @staticmethod
    def _as_rows(values: Iterable[str]) -> list[tuple[str, str]]:
        return [(value, value) for value in values]
