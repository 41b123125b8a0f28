"""What the last whole reconciliation found to differ from the vendors' own counts, and since when it differs.

Everything is read from the figures that runs have stored. No subscriptions are counted here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

from subscriptions.models import ReconciliationRun

Found = tuple[datetime | None, int | None]  # when a run ended, and the difference it found
MOST_RUNS = 400  # a year of them, and some that people asked for


class Agreement(models.TextChoices):
    DIFFERS = "differs", "Differs"
    UNKNOWN = "unknown", "Not known"
    AGREES = "agrees", "Agrees"


ORDER = list(Agreement)


@dataclass(frozen=True)
class Part:
    """One of the numbers of which a side is the sum. None: unlimited, or not known."""

    key: int
    name: str
    number: int | None


@dataclass(frozen=True)
class Difference:
    """One line: what is counted here, what the vendor says, and since when they differ.

    `name` is the profile's, or the vendor's word. `is_longer`: it may have begun before the oldest run that is kept.
    """

    key: int | str
    name: str
    here: int | None
    there: int | None
    drift: int | None
    since: datetime | None = None
    is_longer: bool = False
    models: tuple[Part, ...] = ()
    teams: tuple[Part, ...] = ()

    @property
    def agreement(self) -> Agreement:
        if self.drift is None:
            return Agreement.UNKNOWN
        return Agreement.DIFFERS if self.drift else Agreement.AGREES


@dataclass
class Comparison:
    """What differs as of the last whole run. Without a run there is nothing in it."""

    run: ReconciliationRun | None = None
    use: list[Difference] = field(default_factory=list)
    rights: list[Difference] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many lines differ."""
        return sum(one.agreement == Agreement.DIFFERS for one in (*self.use, *self.rights))


def latest_run() -> ReconciliationRun | None:
    """The last whole run as of today."""
    return _whole_runs().first()


def compare() -> Comparison:
    """The differences of the last whole run. Two queries, however many runs there are."""
    run = latest_run()
    if run is None:
        return Comparison()
    past = _read_past()
    return Comparison(
        run,
        use=_sort(
            _describe(one, "profile", one["name"], one["counted"], past.use) for one in run.figures.get("profiles", [])
        ),
        rights=_sort(
            _describe(one, "vendor", one["vendor"], one["owned"], past.rights) for one in run.figures.get("vendors", [])
        ),
    )


@dataclass
class _Past:
    """Per line, newest first: when a run ended, and what it found."""

    use: dict[Any, list[Found]] = field(default_factory=dict)
    rights: dict[Any, list[Found]] = field(default_factory=dict)


def _whole_runs() -> models.QuerySet[ReconciliationRun]:
    states = (ReconciliationRun.State.COMPLETED, ReconciliationRun.State.PARTIALLY_COMPLETED)
    whole = ReconciliationRun.objects.filter(question_date=None, state__in=states, scope_key__endswith="/all")
    return whole.filter(figures__has_key="profiles").order_by("-pk")


def _read_past() -> _Past:
    past = _Past()
    rows = _whole_runs().values_list("finished_at", "figures__profiles", "figures__vendors")[:MOST_RUNS]
    for at, profiles, vendors in rows:
        for one in profiles or []:
            past.use.setdefault(one["profile"], []).append((at, one["drift"]))
        for one in vendors or []:
            past.rights.setdefault(one["vendor"], []).append((at, one["drift"]))
    return past


def _describe(one: dict[str, Any], key: str, name: str, here: int | None, past: dict[Any, list[Found]]) -> Difference:
    since, is_longer = _find_beginning(past.get(one[key], [])) if one["drift"] else (None, False)
    return Difference(
        *(one[key], name, here, one["reported"], one["drift"], since, is_longer),
        models=tuple(Part(part["model"], "", part["owned"]) for part in one.get("models", [])),
        teams=tuple(Part(part["profile"], part["name"], part["reported"]) for part in one.get("teams", [])),
    )


def _find_beginning(found: list[Found]) -> tuple[datetime | None, bool]:
    """The oldest run since which every one found a difference, and whether all that are kept did."""
    since = None
    for at, drift in found:
        if not drift:
            return since, False
        since = at
    return since, True


def _sort(found: Iterable[Difference]) -> list[Difference]:
    """What differs first, the largest difference before."""
    return sorted(found, key=lambda one: (ORDER.index(one.agreement), -abs(one.drift or 0), one.name))
