"""A run's counters and facts in the words of its process, with the list behind each figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from profiles.jobs.process import Counter
from profiles.models import JobRun


@dataclass(frozen=True)
class Figure:
    """One counter; `url` is the list of exactly these rows, where there is one."""

    label: str
    value: int
    meaning: str = ""
    url: str = ""


def figures_of(run: JobRun) -> list[Figure]:
    """The figures of a run, in the order its process declares them; an undeclared one is shown under its own name."""
    declared: Mapping[str, Counter] = run.declared.counters
    urls = run.declared.counter_links(run) if run.counters else {}
    figures = [
        Figure(counter.label, run.counters[name], counter.meaning, urls.get(name, ""))
        for name, counter in declared.items()
        if name in run.counters and not counter.hidden and (run.counters[name] or not counter.only_if_any)
    ]
    others = [name for name in run.counters if name not in declared]
    return figures + [Figure(name.replace("_", " ").capitalize(), run.counters[name]) for name in others]


def moments_of(run: JobRun) -> list[tuple[str, datetime]]:
    """Label and moment of the facts that the run's process declares; what a worker keeps for itself is left out."""
    found = []
    for name, label in run.declared.facts.items():
        try:
            found.append((label, datetime.fromisoformat(str(run.facts[name]))))
        except (KeyError, ValueError):
            continue
    return found
