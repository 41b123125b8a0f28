"""A job run's counters in words: what each figure says, and the list behind it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from profiles.connectors import base
from profiles.models import JobRun

# Counter -> label and meaning, in the order a reader wants them.
MEANINGS = {
    "seen": ("Seen", "seats the vendor listed: new, changed, returned and unchanged ones"),
    "new": ("New", "listed for the first time"),
    "changed": ("Changed", "listed with other details than last time"),
    "returned": ("Returned", "had ended, and are listed again"),
    "unchanged": ("Unchanged", ""),
    "ended": ("Ended", "no longer listed; kept as history"),
    "withheld": ("Withheld", "missing from the list, not ended before a person has confirmed it"),
    "excluded": ("Excluded", "listed, but left out by an exclusion rule"),
    "unmatched": ("Unmatched", "of a seat type that belongs to no software model"),
    "set_aside": ("Set aside", "records that could not be read, see the warnings"),
    "unreadable": ("Without an id", "records set aside that do not even tell whom they are about"),
    "removed": ("Removed", "listed by the vendor as removed, so not a seat"),
    "duplicates": ("Listed twice", "the later record counts"),
}
ONLY_IF_ANY = {"excluded", "withheld", "unreadable", "removed", "duplicates"}
INTERNAL = {"last_page"}


@dataclass(frozen=True)
class Figure:
    """One counter; `url` is the list of exactly these rows, where there is one."""

    label: str
    value: int
    meaning: str = ""
    url: str = ""


def of(run: JobRun) -> list[Figure]:
    """The figures of a run. Counters without an entry above are shown under their own name."""
    counted = {name: value for name, value in run.counters.items() if name not in INTERNAL}
    known = [name for name in MEANINGS if name in counted and (counted[name] or name not in ONLY_IF_ANY)]
    others = [name for name in counted if name not in MEANINGS]
    rows = _rows(run) if counted else {}
    figures = []
    for name in known:
        label, meaning = MEANINGS[name]
        figures.append(Figure(label, counted[name], meaning, _list(rows.get(name))))
    return figures + [Figure(name.replace("_", " ").capitalize(), counted[name]) for name in others]


def _rows(run: JobRun) -> dict[str, dict[str, object]]:
    """Counter -> the filters that list its rows. What a later download has overtaken is listed no more."""
    if run.profile is None or run.process != base.DOWNLOAD:
        return {}
    found: dict[str, dict[str, object]] = {"ended": {"profile": run.profile.pk, "ended_by": run.pk}}
    last = run.profile.runs.filter(process=base.DOWNLOAD, state=JobRun.State.SUCCEEDED).first()
    if last is not None and last.pk == run.pk:
        found["seen"] = {"profile": run.profile.pk}
        found["unmatched"] = {"profile": run.profile.pk, "model": "null"}
    return found


def _list(filters: dict[str, object] | None) -> str:
    return f"{reverse('subscription_list')}?{urlencode(filters)}" if filters else ""
