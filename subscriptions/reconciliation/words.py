"""A reconciliation in words: as of when, about what, who asked, what it rests on, and what to know of its figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils import timezone

from profiles.models import IntegrationProfile
from subscriptions import counting, links
from subscriptions.models import ReconciliationRun
from subscriptions.reconciliation.read_facts import ASIDE, COUNTED

ASIDE_LABELS = {
    "excluded": "Excluded",
    "no_license": "Without a license",
    "duplicate": "Listed twice",
    "unrecognized": "Unrecognized",
    "not_managed": "Not managed",
}
ASIDE_MEANINGS = {
    "excluded": "by an exclusion rule",
    "no_license": "listed, and consumes no license",
    "duplicate": "another profile of the same team lists the account, and counts it",
    "unrecognized": "its subscription identifier leads to no software model, so the position is incomplete",
    "not_managed": "its software model is not under management",
}
KIND_LABELS = {COUNTED: "Counted", **ASIDE_LABELS}
MOST_NAMES = 3
CHANGE = "after a change"


@dataclass(frozen=True)
class FoundNumber:
    """A number with its words, and the address of the rows behind it, if there are any."""

    label: str
    value: int | None
    meaning: str = ""
    url: str = ""


@dataclass(frozen=True)
class ProfileInput:
    """What a run rests on of one profile: when it was listed last, and how many of its subscriptions count."""

    name: str
    url: str
    refreshed_at: datetime | None
    is_known: bool
    counted: int
    aside: int


def write_as_of(run: ReconciliationRun) -> str:
    """The day whose end was asked for, or that it is of the moment it ran."""
    return f"{run.question_date:%-d %b %Y}" if run.question_date else "the moment it ran"


def write_scope(run: ReconciliationRun) -> str:
    """What it is about."""
    if run.software_model is not None:
        return str(run.software_model)
    if "/model-" in run.scope_key:
        return "One software model, since deleted"
    if not run.publishers:
        return "Everything"
    names, rest = run.publishers[:MOST_NAMES], len(run.publishers) - MOST_NAMES
    return ", ".join(names) + (f" and {rest} more" if rest > 0 else "")


def write_group(run: ReconciliationRun) -> str:
    """By what it is divided; empty where by nothing."""
    names = [(run.group, run.get_group_display()), (run.subgroup, run.get_subgroup_display())]
    return ", ".join(label for value, label in names if value != "none")


def write_asker(run: ReconciliationRun) -> str:
    """Who or what asked for it."""
    if run.scheduled_on:
        return "by schedule"
    who = run.requested_by.get_username() if run.requested_by else "the system"
    return f"{who}, {CHANGE}" if "/model-" in run.scope_key else who


def list_aside(run: ReconciliationRun) -> list[FoundNumber]:
    """What was set aside, by kind. Each leads to its rows: those of the run's day, or of now if that is today."""
    aside = run.figures.get("aside", {})
    return [
        FoundNumber(
            ASIDE_LABELS[kind],
            aside.get(kind, 0),
            ASIDE_MEANINGS[kind],
            _url_of_seats(run, kind) if is_past(run) else url_of_kind(kind),
        )
        for kind in ASIDE
    ]


def day_of(run: ReconciliationRun) -> date:
    """The day it was asked about, or on which it ran."""
    return run.question_date or timezone.localtime(run.started_at).date()


def is_past(run: ReconciliationRun) -> bool:
    """Whether its day is over, so that what is so now may not be what it counted."""
    return day_of(run) < timezone.localdate()


def url_of_kind(kind: str) -> str:
    """The subscriptions that count now, or are aside now for this reason."""
    return links.list_url(position=counting.COUNTED) if kind == COUNTED else counting.url_of_aside(kind)


def count_of_kind(run: ReconciliationRun, kind: str) -> int:
    """How many the run counted, or set aside for this reason."""
    return int(run.figures.get(COUNTED, 0) if kind == COUNTED else run.figures.get("aside", {}).get(kind, 0))


def _url_of_seats(run: ReconciliationRun, kind: str) -> str:
    return reverse("reconciliation_seats", args=[run.pk, kind])


def list_inputs(run: ReconciliationRun) -> list[ProfileInput]:
    """The profiles it rests on, with when each was listed last and what became of its subscriptions."""
    rows = run.inputs.get("profiles", [])
    stored = set(IntegrationProfile.objects.filter(pk__in=[one["id"] for one in rows]).values_list("pk", flat=True))
    return [
        ProfileInput(
            name=one["name"],
            url=reverse("profile_detail", args=[one["id"]]) if one["id"] in stored else "",
            refreshed_at=datetime.fromisoformat(one["refreshed_at"]) if one.get("refreshed_at") else None,
            is_known=one.get("known", True),
            counted=one.get("counts", {}).get("counted", 0),
            aside=sum(one.get("counts", {}).get(kind, 0) for kind in ASIDE),
        )
        for one in rows
    ]


def list_notes(run: ReconciliationRun) -> list[str]:
    """What to know before the figures are believed."""
    inputs, notes = run.inputs, []
    if unknown := inputs.get("unknown"):
        names = ", ".join(unknown)
        notes.append(f"Not known on that day: {names}. There is no total, because what they listed is missing in it.")
    if later := inputs.get("recorded_later"):
        notes.append(f"Recorded after that day, and counted as known today: {', '.join(later)}.")
    if run.question_date:
        notes.append(
            "Contracts, prices, mappings and people are as they were known when it ran; subscriptions are as they were "
            "at the end of that day."
        )
    if run.publishers:
        notes.append("What is aside is counted over all publishers.")
    if run.figures.get("aside", {}).get("unrecognized"):
        notes.append(
            "Some subscriptions lead to no software model, so the position is incomplete. Map their identifiers."
        )
    return notes


def url_of_counted(run: ReconciliationRun) -> str:
    """The subscriptions that counted: those of the run's day, or those that count now if that is today."""
    return _url_of_seats(run, COUNTED) if is_past(run) else url_of_kind(COUNTED)
