"""When the queue of moves ends: removed members whose files wait, and how fast the files of others were moved.

The vendor transfers files to one account from one member at a time, so every account that receives files has a queue of
its own. That of a team ends with the longest of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Max, Min, QuerySet

from reclamation import rules
from reclamation.models import ReclamationRule, RemovalAttempt, RuleVersion
from reclamation.removal import destination

State = RemovalAttempt.State
MEASURED = timedelta(days=30)
BETWEEN = timedelta(minutes=1)  # until the next run takes the slot
TEAM = ("vendor", "team_id")


@dataclass(frozen=True)
class MoveQueue:
    """The moves of one team: how many wait, about when the last of them is over, and whether that is too late.

    `waits` is how long the last member then has waited since its removal.
    """

    LONG_DAYS: ClassVar[int] = 150  # Dropbox keeps the files of a removed member for 180 days at most teams

    team_name: str
    size: int
    ends_at: datetime
    waits: timedelta

    @property
    def is_long(self) -> bool:
        return self.waits > timedelta(days=self.LONG_DAYS)


def find_all(*, now: datetime) -> list[MoveQueue]:
    """The queues of all teams with somebody in them, the one that ends last first."""
    return sorted(_find(_waiting(), now), key=lambda one: one.ends_at, reverse=True)


def find_of(attempt: RemovalAttempt, *, now: datetime) -> MoveQueue | None:
    """The queue of the attempt's team; None where nobody is in it."""
    mine = _waiting().filter(vendor=attempt.vendor, team_id=attempt.team_id)
    return next(_find(mine, now), None)


def _waiting() -> QuerySet[RemovalAttempt]:
    return RemovalAttempt.objects.filter(state__in=(State.REMOVED, State.MOVING), dry_run=False)


def _find(rows: QuerySet[RemovalAttempt], now: datetime) -> Iterator[MoveQueue]:
    pace = _pace(now)
    teams: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in _by_receiver(rows):
        teams.setdefault((row["vendor"], row["team_id"]), []).append(row)
    for team, parts in teams.items():
        each = pace.get(team, destination.TRANSFER_TIME) + BETWEEN
        ends = max(_end(part, each, now) for part in parts)
        yield MoveQueue(
            team_name=max(part["name"] or "" for part in parts) or team[1],
            size=sum(part["size"] for part in parts),
            ends_at=ends,
            waits=ends - max(part["last_removed"] or now for part in parts),
        )


def _end(part: dict[str, Any], each: timedelta, now: datetime) -> datetime:
    """When the last of a queue is over: one after the other from the first on, and none before its own undo is over."""
    first, last = part["first"] or now, part["last"] or now
    return max(max(first, now) + each * part["size"], max(last, now) + each)


def _by_receiver(rows: QuerySet[RemovalAttempt]) -> list[dict[str, Any]]:
    """How many members wait for the same account, with the moments between which their undo windows end."""
    keys = ("destination_external_id", "candidate__rule", "candidate__rule_version")
    manager = "candidate__subscription__match__person__manager"
    groups = (
        rows.order_by()
        .values(*TEAM, *keys, manager)
        .annotate(
            size=Count("pk"),
            first=Min("move_after"),
            last=Max("move_after"),
            last_removed=Max("withdrawn_at"),
            name=Max("profile__team_name"),
        )
    )
    found = list(groups)
    of_rule = ReclamationRule.objects.in_bulk({row["candidate__rule"] for row in found} - {None})
    versions = RuleVersion.objects.select_related("rule")
    of_version = versions.in_bulk({row["candidate__rule_version"] for row in found} - {None})
    merged: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in found:
        rule = of_rule.get(row["candidate__rule"])
        settings = rules.settings_under(rule, of_version.get(row["candidate__rule_version"]))
        to = row["destination_external_id"] or _name_receiver(settings, row[manager] or "")
        key = (row["vendor"], row["team_id"], to)
        merged[key] = _merge(merged[key], row) if key in merged else row
    return list(merged.values())


def _name_receiver(rule: ReclamationRule, manager: str) -> str:
    """A name for the account that a rule's files go to: the same account has the same name."""
    if rule.destination == ReclamationRule.Destination.NAMED:
        return rule.destination_external_id
    return f"manager {manager}" if rule.destination == ReclamationRule.Destination.MANAGER else "administrator"


def _merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = {**one, "size": one["size"] + other["size"]}
    for name, choose in (("first", min), ("last", max), ("last_removed", max)):
        merged[name] = choose((at for at in (one[name], other[name]) if at), default=None)
    return merged


def _pace(now: datetime) -> dict[tuple[str, str], timedelta]:
    """How long the moves of each team took on average in the last weeks, until the next one could begin."""
    moved = RemovalAttempt.objects.filter(moved_at__gt=now - MEASURED, move_called_at__isnull=False, dry_run=False)
    took = ExpressionWrapper(F("moved_at") - F("move_called_at"), output_field=DurationField())
    rows = moved.exclude(moved_by="").order_by().values(*TEAM).annotate(each=Avg(took))
    return {(row["vendor"], row["team_id"]): row["each"] for row in rows}
