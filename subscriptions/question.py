"""What is asked of a reconciliation: as of which day, about which software models, divided by what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256

from django.utils import timezone

from subscriptions.models import PositionGroup, ReconciliationRun


class BadQuestion(ValueError):
    """The question cannot be answered. The text says why."""


@dataclass(frozen=True, kw_only=True)
class PositionQuestion:
    """`day` is the local day whose end is asked for; `at` is that moment, None for now.

    `publishers` are names, none for all. `model` is the key of the one software model it is about.
    """

    day: date
    at: datetime | None = None
    publishers: tuple[str, ...] = ()
    model: int | None = None
    group: str = PositionGroup.NONE
    subgroup: str = PositionGroup.NONE

    @property
    def is_whole(self) -> bool:
        return not self.publishers and self.model is None

    @property
    def is_grouped(self) -> bool:
        return self.group != PositionGroup.NONE

    @property
    def scope_key(self) -> str:
        """Equal for equal questions."""
        day = self.day.isoformat() if self.at else "today"
        scope = "all"
        if self.model is not None:
            scope = f"model-{self.model}"
        elif self.publishers:
            scope = "publishers-" + sha256(json.dumps(sorted(self.publishers)).encode()).hexdigest()[:32]
        return f"{day}/{self.group}/{self.subgroup}/{scope}"


def ask(
    day: date | None = None,
    *,
    now: datetime,
    publishers: tuple[str, ...] = (),
    model: int | None = None,
    group: str = PositionGroup.NONE,
    subgroup: str = PositionGroup.NONE,
) -> PositionQuestion:
    """A question as of the end of a day, or as of now. Raises `BadQuestion`."""
    today = timezone.localtime(now).date()
    if day is not None and day > today:
        raise BadQuestion("That day is still to come. Renewals say what is to be expected.")
    if subgroup != PositionGroup.NONE and subgroup == group:
        raise BadQuestion("Group and subgroup must differ.")
    if subgroup != PositionGroup.NONE and group == PositionGroup.NONE:
        raise BadQuestion("A subgroup needs a group.")
    at = None if day is None or day == today else end_of(day)
    asked = day or today
    return PositionQuestion(day=asked, at=at, publishers=publishers, model=model, group=group, subgroup=subgroup)


def of_run(run: ReconciliationRun, *, now: datetime) -> PositionQuestion:
    """The question that a stored run answers."""
    model = None
    if "/model-" in run.scope_key:
        model = int(run.scope_key.rpartition("-")[2])
    groups = {"group": run.group, "subgroup": run.subgroup}
    return ask(run.question_date, now=now, publishers=tuple(run.publishers), model=model, **groups)


def end_of(day: date) -> datetime:
    """The moment at which a local day is over. It belongs to the next one."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=timezone.get_current_timezone())
