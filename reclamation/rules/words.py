"""The settings of a rule in words: for the page that shows them, and what differs between two versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group

from profiles.models import IntegrationProfile
from reclamation.models import ReclamationRule, RuleVersion
from reclamation.models.rule import CONDITIONS
from reclamation.rules.versions import LEGAL_HOLD
from samsaas import roles
from subscriptions.models import Subscription

Settings = Mapping[str, Any]
Rule = ReclamationRule
CONDITION_LABELS = {
    "profile": "Subscription profile",
    "identifier": "Subscription identifier",
    "department": "Department",
    "cost_center": "Cost center",
    "country": "Country",
}
LABELS = {
    "active": "Create reclamation candidate",
    "mode": "Mode",
    "threshold_days": "Threshold",
    "minimum_age_days": "Minimum age",
    "include_never_active": "Never active",
    "include_invited": "Invitations",
    "include_suspended": "Suspended",
    "include_leavers": "Users who left",
    "invited_days": "Age of invitations",
    "logins_are_enough": "Sign-ins are enough",
    "notify_user": "Notify user",
    "notice_days": "Days before auto-reclamation",
    "remind_before": "Reminders",
    "cool_down_days": "Cool-down",
    "approver": "Approver",
    "assignment_group": "Assignment group",
    "second_person": "Second person",
    "destination": "Files go to",
    "destination_external_id": "Chosen account",
    "undo_days": "Undo",
    "release_allocation": "Release the allocation",
    "wipe_devices": "Wipe devices",
    LEGAL_HOLD: "Legal hold",
}
DOES = {
    Rule.Mode.OBSERVE: "It only notes what it would propose. No candidate is opened.",
    Rule.Mode.PROPOSE: "It opens candidates. A person presses Reclaim.",
    Rule.Mode.AUTOMATIC: "It opens candidates, asks, and reclaims by itself, within the limits of the team.",
}
DAYS = ("threshold_days", "minimum_age_days", "invited_days", "notice_days", "cool_down_days", "undo_days")


@dataclass(frozen=True)
class Fact:
    """A line of the page: a label, what is set, and what it means."""

    label: str
    text: str
    meaning: str = ""


@dataclass(frozen=True)
class Section:
    """Facts that answer one question."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Names:
    """What the keys in settings are called. One that is gone keeps its key."""

    profiles: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)


def read_names(*settings: Settings) -> Names:
    """The names for all keys in these settings. At most three queries."""
    profiles = {key for one in settings for key in one.get("conditions", {}).get("profile", [])}
    groups = {one["assignment_group"] for one in settings if one.get("assignment_group")}
    accounts = {one.get("destination_external_id") for one in settings} - {None, ""}
    found = IntegrationProfile.objects.filter(pk__in=profiles).values_list("pk", "display_name")
    seats = Subscription.objects.filter(external_id__in=accounts) if accounts else ()
    return Names(
        profiles=dict(found) if profiles else {},
        groups=dict(Group.objects.filter(pk__in=groups).values_list("pk", "name")) if groups else {},
        accounts={seat.external_id: _call_account(seat) for seat in seats},
    )


def describe(settings: Settings, names: Names) -> tuple[Section, ...]:
    """All settings in words, by what they decide."""
    return (
        Section("Who is proposed", (*_say_mode(settings), *_say_reasons(settings), _say_conditions(settings, names))),
        Section("Who is asked", _say_asking(settings, names)),
        Section("What happens", _say_removal(settings, names)),
    )


def describe_changes(before: Settings, after: Settings, names: Names) -> list[str]:
    """What differs between two versions, a sentence for each setting; empty where nothing does."""
    said = []
    for key, label in LABELS.items():
        old, new = (_write_value(key, one.get(key), names) for one in (before, after))
        if old != new:
            said.append(f"{label}: {old} → {new}")
    return said + _compare_conditions(before.get("conditions", {}), after.get("conditions", {}), names)


def compare_versions(versions: Iterable[RuleVersion]) -> list[tuple[RuleVersion, list[str]]]:
    """Versions, newest first, each with what it changed. The last one given is only there to compare with."""
    rows = list(versions)
    names = read_names(*(one.settings for one in rows))
    return [
        (one, describe_changes(before.settings, one.settings, names))
        for one, before in zip(rows, rows[1:], strict=False)
    ]


def compare_first_and_last(versions: Iterable[RuleVersion]) -> list[str]:
    """What changed from the last to the first of these versions, which come newest first."""
    rows = list(versions)
    newest, oldest = rows[0].settings, rows[-1].settings
    return describe_changes(oldest, newest, read_names(oldest, newest))


def count_days(number: int) -> str:
    return f"{number:,} day{'' if number == 1 else 's'}"


def _say_mode(settings: Settings) -> list[Fact]:
    if not settings["active"]:
        return [Fact(LABELS["active"], "Off", "No candidate is opened. The other settings wait until it is on again.")]
    mode = Rule.Mode(settings["mode"])
    return [Fact(LABELS["active"], "On"), Fact(LABELS["mode"], str(mode.label), DOES[mode])]


def _say_reasons(settings: Settings) -> list[Fact]:
    age = settings["minimum_age_days"]
    left_alone = f"Assigned less than {count_days(age)} ago: left alone." if age else "However lately it was assigned."
    invited = f"Proposed when they wait for {count_days(settings['invited_days'])}"
    return [
        Fact(LABELS["threshold_days"], f"{count_days(settings['threshold_days'])} without use", left_alone),
        Fact(LABELS["include_never_active"], _choose(settings["include_never_active"], "Proposed", "Left alone")),
        Fact(
            LABELS["include_leavers"],
            _choose(settings["include_leavers"], "Proposed", "Judged like anybody"),
            _choose(settings["include_leavers"], "From the day after their last day, whatever their use.", ""),
        ),
        Fact(LABELS["include_invited"], _choose(settings["include_invited"], invited, "Left alone")),
        Fact(LABELS["include_suspended"], _choose(settings["include_suspended"], "Proposed if idle", "Left alone")),
        Fact(
            LABELS["logins_are_enough"],
            _choose(settings["logins_are_enough"], "Yes", "No"),
            "Counts where the vendor’s plan records no file events and no device session was read.",
        ),
    ]


def _say_conditions(settings: Settings, names: Names) -> Fact:
    conditions = settings["conditions"]
    if not conditions:
        return Fact("Limited to", "Nothing", "Every subscription of the software model is judged.")
    said = [f"{CONDITION_LABELS[key]}: {_list_values(key, values, names)}" for key, values in conditions.items()]
    return Fact("Limited to", "; ".join(said), "Whoever has no such value is left alone. Leavers are proposed anyway.")


def _say_asking(settings: Settings, names: Names) -> tuple[Fact, ...]:
    days = count_days(settings["notice_days"])
    asked = Fact("The user", "Asked by mail", f"No answer within {days} after it was sent means that it is reclaimed.")
    reminded = [Fact(LABELS["remind_before"], _write_value("remind_before", settings["remind_before"], names))]
    group = _write_value("assignment_group", settings["assignment_group"], names)
    meaning = {
        Rule.Approver.NONE: "Whoever wants to keep it keeps it.",
        Rule.Approver.GROUP: f"{group}. Decides what the user wants to keep, and whatever no user is asked about.",
        Rule.Approver.MANAGER: f"{group}, where the manager has no account here.",
    }[Rule.Approver(settings["approver"])]
    kept = f"Kept, restored or closed by a person: left alone for {count_days(settings['cool_down_days'])}."
    second = _choose(settings["second_person"], "For every removal", "Above the limits of the team")
    return (
        *([asked, *reminded] if settings["notify_user"] else [Fact("The user", "Not asked")]),
        Fact(LABELS["approver"], str(Rule.Approver(settings["approver"]).label), meaning),
        Fact(LABELS["second_person"], second),
        Fact(LABELS["cool_down_days"], count_days(settings["cool_down_days"]), kept),
    )


def _say_removal(settings: Settings, names: Names) -> tuple[Fact, ...]:
    to = str(Rule.Destination(settings["destination"]).label)
    if settings["destination"] == Rule.Destination.NAMED:
        to = _write_value("destination_external_id", settings["destination_external_id"], names)
    undo = settings["undo_days"]
    wiped = _choose(settings["wipe_devices"], "Wiped", "Not wiped")
    return (
        Fact(LABELS["destination"], to),
        Fact(
            LABELS["undo_days"],
            count_days(undo) if undo else "None",
            "Until then one press restores the account."
            if undo
            else "The files are transferred at once. It cannot be undone.",
        ),
        Fact("Devices", wiped, _choose(settings["wipe_devices"], "Files are deleted from linked devices.", "")),
        Fact(LABELS["release_allocation"], _choose(settings["release_allocation"], "Yes", "No")),
    )


def _write_value(key: str, value: Any, names: Names) -> str:
    """One setting in a few words, as differences show it."""
    if key in DAYS:
        return count_days(value) if value is not None else "not set"
    if key == "remind_before":
        return f"{_join([str(day) for day in value])} days before the end" if value else "none"
    if key == "assignment_group":
        return names.groups.get(value, f"group {value}") if value else roles.SAM_ADMIN
    if key == "destination_external_id":
        return names.accounts.get(value, value) or "none"
    if key == LEGAL_HOLD:
        return "none is known" if value else "not looked at"
    choices = {"mode": Rule.Mode, "approver": Rule.Approver, "destination": Rule.Destination}
    return str(choices[key](value).label) if key in choices and value else ("yes" if value else "no")


def _compare_conditions(before: Mapping[str, Any], after: Mapping[str, Any], names: Names) -> list[str]:
    said = []
    for key in CONDITIONS:
        old, new = before.get(key, []), after.get(key, [])
        added, gone = ([one for one in a if one not in b] for a, b in ((new, old), (old, new)))
        parts = [f"added {_list_values(key, added, names)}"] if added else []
        parts += [f"took out {_list_values(key, gone, names)}"] if gone else []
        if parts:
            said.append(f"{CONDITION_LABELS[key]}: {'; '.join(parts)}{'' if new else '; no longer asked for'}")
    return said


def _list_values(key: str, values: Iterable[Any], names: Names) -> str:
    return ", ".join(names.profiles.get(one, f"profile {one}") if key == "profile" else str(one) for one in values)


def _choose(is_on: bool, yes: str, no: str) -> str:
    return yes if is_on else no


def _join(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _call_account(seat: Subscription) -> str:
    return f"{seat.title} ({seat.email})" if seat.email and seat.email != seat.title else seat.title
