"""Compute a position: read everything in one snapshot, then the figures of each software model.

The seats never leave the database. What this gives back are sums; the ranked seats stay in a temporary table until they
are published or `drop_tables` is called.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from samsaas.lib import money, sql
from samsaas.lib.snapshot import read_snapshot
from subscriptions.entitlements.terms import Book, by_model
from subscriptions.models import MetricResult, RemediationOption, SoftwareModel
from subscriptions.question import PositionQuestion
from subscriptions.reconciliation import count_use, cover_seats, drift, inputs, read_facts
from subscriptions.reconciliation.count_use import GroupUse, ModelUse
from subscriptions.reconciliation.figures import Rights, compute, is_in_position
from subscriptions.reconciliation.remedies import list_options

log = logging.getLogger(__name__)
STEPS = 5
Show = Callable[[int], None]


@dataclass
class Position:
    """The answer to a question. `metrics`, `options` and `groups` are by software model, and nothing is stored yet.

    `listed` has the seats of each profile by what becomes of them. `failed` says of publishers why they have no result.
    """

    question: PositionQuestion
    models: dict[int, SoftwareModel]
    listed: dict[int, dict[str, int]]
    inputs: dict[str, Any]
    metrics: dict[int, MetricResult] = field(default_factory=dict)
    options: dict[int, list[RemediationOption]] = field(default_factory=dict)
    groups: dict[int, list[GroupUse]] = field(default_factory=dict)
    vendors: dict[str, list[int]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def aside(self) -> dict[str, int]:
        """Listed seats that do not count, by kind, over all profiles."""
        return {kind: sum(one[kind] for one in self.listed.values()) for kind in read_facts.ASIDE}

    @property
    def counted(self) -> int:
        return sum(one[read_facts.COUNTED] for one in self.listed.values())

    @property
    def drift(self) -> dict[str, Any]:
        """What the vendors say beside what is counted here. It is known as of today only."""
        if self.question.at or not self.question.is_whole:
            return {}
        consuming = {profile: one["consuming"] for profile, one in self.listed.items()}
        return {"profiles": drift.in_use(consuming), "vendors": drift.in_rights(self.vendors, self.metrics)}


@dataclass
class _Read:
    """What was read in the snapshot, before anything is computed of it."""

    position: Position
    rights: dict[int, Rights]
    uses: dict[int, ModelUse]
    excluded: dict[int, int]


def run(question: PositionQuestion, *, show: Show = lambda step: None) -> Position:
    """The position. Temporary tables are left behind for `publish`; call `drop_tables` when they are not needed."""
    drop_tables()
    with read_snapshot():
        found = _read(question, show)
    return _compute_figures(found)


def _read(question: PositionQuestion, show: Show) -> _Read:
    _tune_planner()
    models = {one.pk: one for one in SoftwareModel.objects.filter(under_management=True) if _is_asked(question, one)}
    in_force = [one for one in Book.read().in_force(question.day) if one.software_model_id in models]
    read_facts.store_facts(question)
    show(1)
    listed, excluded = read_facts.count_listed(), read_facts.count_excluded()
    show(2)
    allocated, owned = cover_seats.store_allocations(in_force, question.day), by_model(in_force)
    rights = {key: Rights(owned.get(key, ()), allocated.get(key, 0)) for key in models}
    cover_seats.store_models({key: one.free for key, one in rights.items()})
    cover_seats.cover_by_allocation()
    show(3)
    cover_seats.rank_seats(question)
    show(4)
    position = Position(question, models, listed, inputs.describe(question, listed, in_force))
    position.groups = count_use.count_by_group() if question.is_grouped else {}
    position.vendors = count_use.models_by_vendor()
    uses = count_use.count_by_model(question)
    show(STEPS)
    return _Read(position, rights, uses, excluded)


def _is_asked(question: PositionQuestion, model: SoftwareModel) -> bool:
    if question.model is not None:
        return model.pk == question.model
    names = {name.casefold() for name in question.publishers}
    return not names or model.publisher.casefold() in names


def _tune_planner() -> None:
    """Sorting a million seats gets memory. Plans are not compiled, which costs more than it gains."""
    if sql.is_postgresql():
        sql.execute("SET LOCAL work_mem = '128MB'")
        sql.execute("SET LOCAL jit = off")


def _compute_figures(found: _Read) -> Position:
    """The figures of every model in the position. A publisher one of whose amounts cannot be stored has none."""
    position = found.position
    for key, model in position.models.items():
        use, rights = found.uses.get(key, ModelUse()), found.rights[key]
        if not is_in_position(use, rights):
            continue
        try:
            figures = compute(model, use, rights, excluded=found.excluded.get(key, 0))
            position.options[key] = list_options(figures, position.question.day)
        except money.TooLarge as error:
            log.warning("No position of %s: %s", model, error)
            position.failed[model.publisher] = f"{model}: {error}"
        else:
            position.metrics[key] = figures
    for key in [key for key in position.metrics if position.models[key].publisher in position.failed]:
        del position.metrics[key]
    return position


def drop_tables() -> None:
    """Drop every temporary table of a position."""
    read_facts.drop_tables()
    cover_seats.drop_tables()
