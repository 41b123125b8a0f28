"""A job run's counters in words: what each figure says, and the list behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from profiles.connectors import base
from profiles.models import JobRun

Meanings = dict[str, tuple[str, str]]
SET_ASIDE = {"set_aside": ("Set aside", "records that could not be read, see the warnings")}

# Process -> counter -> label and meaning, in the order a reader wants them.
DOWNLOADED: Meanings = {
    "seen": ("Seen", "seats the vendor listed: new, changed, returned and unchanged ones"),
    "new": ("New", "listed for the first time"),
    "changed": ("Changed", "listed with other details than last time"),
    "returned": ("Returned", "had ended, and are listed again"),
    "unchanged": ("Unchanged", ""),
    "ended": ("Ended", "no longer listed; kept as history"),
    "withheld": ("Withheld", "missing from the list, not ended before a person has confirmed it"),
    "excluded": ("Excluded", "listed, but left out by an exclusion rule"),
    "unmatched": ("Unmatched", "of a seat type that belongs to no software model"),
    **SET_ASIDE,
    "unreadable": ("Without an id", "records set aside that do not even tell whom they are about"),
    "removed": ("Removed", "listed by the vendor as removed, so not a seat"),
    "duplicates": ("Listed twice", "the later record counts"),
}
MATCHED: Meanings = {
    "seen": ("Seats", "current seats that were looked at"),
    "matched": ("With a person", "by a rule or by hand"),
    "by_hand": ("Matched by hand", "kept whatever the rules say"),
    "without_user": ("Without a person", "no rule found exactly one person"),
    "matched_anew": ("Found now", "had no person before"),
    "matched_otherwise": ("Found otherwise", "a rule found another person than last time"),
    "unmatched_now": ("Lost", "had a person by a rule that finds nobody, or more than one, by now"),
    "excluded": ("Excluded", "left out by an exclusion rule, so not matched"),
}
PULLED: Meanings = {
    "read": ("Events read", "everything the vendor’s log holds for that time"),
    "counted": ("Counted as use", "what a person did with the product"),
    "of_seats": ("Of known seats", "counted events whose account is a downloaded seat"),
    "of_nobody": ("Of no known seat", "counted events of accounts that are gone or were never listed"),
    "not_use": ("Not use", "failed attempts and what others sent, see what counts as use"),
    "not_member": ("Not by a member", "by an app, an outsider or the vendor itself"),
    "signed_in_as": ("Signed in as", "an administrator acting as somebody else, which is nobody’s use"),
    "no_actor": ("Without an actor", "the vendor does not say who it was"),
    "unknown": ("Unknown kind", "counted, to be safe, though this version does not know the kind; see the warnings"),
    **SET_ASIDE,
}
VALIDATED: Meanings = {
    "passed": ("Passed", "processes that can do their work"),
    "failed": ("Failed", "processes that cannot, each with its cause and remedy"),
}
# A run reads the file, or applies it.
IMPORTED: Meanings = {
    "lines": ("Lines read", "lines of the file below its header: new, changed, unchanged and refused ones"),
    "new": ("New people", "whom the directory does not hold yet"),
    "changed": ("Changed people", "lines that say something else than the directory"),
    "added": ("Added", "people who are new in the directory"),
    "updated": ("Updated", "people whose values or addresses changed"),
    "back": ("Back", "people who had left and are listed again"),
    "same": ("Unchanged", ""),
    "refused": ("Refused lines", "left out, each with the reason on the file’s page"),
    "leavers": ("Missing", "active people who are not in the file, which lists everybody"),
    "left": ("Marked as leavers", "active people who were not in the file, which lists everybody"),
}
MEANINGS = {
    base.DOWNLOAD: DOWNLOADED,
    base.MATCH: MATCHED,
    base.ACTIVITY: PULLED,
    base.VALIDATE: VALIDATED,
    base.IMPORT: IMPORTED,
}
ONLY_IF_ANY = {
    "excluded",
    "withheld",
    "unreadable",
    "removed",
    "duplicates",
    "matched_otherwise",
    "unmatched_now",
    "signed_in_as",
    "no_actor",
    "unknown",
}
INTERNAL = {"last_page"}
LISTS = {"without_user": "unmatched_list"}
FACTS = {"since": "Read from", "began": "Read until"}


@dataclass(frozen=True)
class Figure:
    """One counter; `url` is the list of exactly these rows, where there is one."""

    label: str
    value: int
    meaning: str = ""
    url: str = ""


def of(run: JobRun) -> list[Figure]:
    """The figures of a run. Counters without an entry above are shown under their own name."""
    meanings = MEANINGS.get(run.process, {})
    counted = {name: value for name, value in run.counters.items() if name not in INTERNAL}
    known = [name for name in meanings if name in counted and (counted[name] or name not in ONLY_IF_ANY)]
    others = [name for name in counted if name not in meanings]
    rows = _rows(run) if counted else {}
    figures = []
    for name in known:
        label, meaning = meanings[name]
        figures.append(Figure(label, counted[name], meaning, _list(name, rows.get(name))))
    return figures + [Figure(name.replace("_", " ").capitalize(), counted[name]) for name in others]


def facts(run: JobRun) -> list[tuple[str, datetime]]:
    """Label and moment of what a run noted about the time it read; what a worker keeps for itself is left out."""
    return list(_moments(run))


def _moments(run: JobRun) -> Iterator[tuple[str, datetime]]:
    for name, label in FACTS.items():
        try:
            yield label, datetime.fromisoformat(str(run.facts[name]))
        except (KeyError, ValueError):
            continue


def _rows(run: JobRun) -> dict[str, dict[str, object]]:
    """Counter -> the filters that list its rows. What a later run has overtaken is listed no more."""
    if run.profile is None or run.process not in (base.DOWNLOAD, base.MATCH):
        return {}
    mine: dict[str, object] = {"profile": run.profile.pk}
    found = {"ended": {**mine, "ended_by": run.pk}} if run.process == base.DOWNLOAD else {}
    last = run.profile.runs.filter(process=run.process, state=JobRun.State.SUCCEEDED).first()
    if last is not None and last.pk == run.pk:
        found["seen"] = mine
        if run.process == base.DOWNLOAD:
            found["unmatched"] = {**mine, "model": "null"}
        else:
            found["without_user"] = mine
    return found


def _list(name: str, filters: dict[str, object] | None) -> str:
    return f"{reverse(LISTS.get(name, 'subscription_list'))}?{urlencode(filters)}" if filters else ""
