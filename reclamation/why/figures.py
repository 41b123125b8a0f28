"""The sums per reason of a profile's last find, as rows for a page, with the list behind each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from profiles.models import IntegrationProfile
from reclamation import sums
from reclamation.models import ReclamationRule
from reclamation.reasons import Decision, Reason, as_verdict
from reclamation.sentences import MEANINGS, label_verdict
from reclamation.sums import LastFind, ReasonSum
from samsaas.lib.sight import limit_rows

NO_MODEL = "none"
SHOWN = 4
TONES = {Decision.PROPOSE: "warn", Decision.OBSERVE: "info", Decision.NO: "idle"}


def add_up(profile: IntegrationProfile, counted: Iterable[ReasonSum], rule: str = "") -> list[dict[str, Any]]:
    """One row for each decision and reason, proposed ones first, then by number. `rule` goes into their addresses."""
    counts: dict[str, int] = {}
    for one in counted:
        verdict = as_verdict(one.decision, one.reason)
        counts[verdict] = counts.get(verdict, 0) + one.count
    rows = [_make_row(profile, verdict, count, rule) for verdict, count in counts.items()]
    total = sum(counts.values())
    for row in rows:
        row["share"] = f"{100 * row['count'] / total:.1f} %"
    return sorted(rows, key=lambda row: (row["rank"], -row["count"]))


def _make_row(profile: IntegrationProfile, verdict: str, count: int, rule: str) -> dict[str, Any]:
    decision, _, reason = verdict.partition(":")
    is_open = reason == Reason.OPEN_CANDIDATE
    asked = {"reason": verdict} | ({"rule": rule} if rule else {})
    return {
        "verdict": verdict,
        "label": "Proposed" if is_open else label_verdict(verdict),
        "meaning": MEANINGS[Reason(reason)],
        "count": count,
        "rank": 0 if is_open else 1 + list(Decision).index(Decision(decision)),
        "tone": "good" if is_open else TONES[Decision(decision)],
        "url": f"{reverse('reason_rows', args=[profile.pk])}?{urlencode(asked)}",
    }


def equation(rows: list[dict[str, Any]], *, most: int = 0) -> str:
    """“1,000 subscriptions = 40 proposed + 12 exempt”. With `most`, what is left is summed up as others."""
    total = sum(row["count"] for row in rows)
    shown = [(row["count"], row["label"]) for row in (rows[:most] if most else rows)]
    rest = total - sum(count for count, _ in shown)
    parts = [f"{count:,} {label[0].lower()}{label[1:]}" for count, label in shown]
    if not any(row["rank"] == 0 for row in rows):
        parts.insert(0, "0 proposed")
    if rest:
        parts.append(f"{rest:,} others")
    return f"{total:,} subscription{'' if total == 1 else 's'} = {' + '.join(parts)}"


def tabs(profile: IntegrationProfile, found: LastFind, chosen: str) -> list[dict[str, Any]]:
    """One tab for all subscriptions, and one for each rule that has any."""
    base = reverse("reason_sums", args=[profile.pk])
    keys = {one.rule for one in found.sums}
    names = dict(ReclamationRule.objects.filter(pk__in=[key for key in keys if key]).values_list("pk", "name"))
    options = [("", "All rules"), *sorted((str(key), name) for key, name in names.items())]
    options += [(NO_MODEL, "No rule")] if None in keys else []
    return [
        {"label": label, "url": f"{base}?{urlencode({'rule': key})}" if key else base, "is_current": key == chosen}
        for key, label in options
    ]


def chosen_sums(found: LastFind, rule: str) -> tuple[ReasonSum, ...]:
    """The sums of the rule in the address; of all for none, or for one that no subscription has."""
    if rule == NO_MODEL:
        return found.for_rule(None)
    key = int(rule) if rule.isascii() and rule.isdigit() and len(rule) < 18 else None
    return found.for_rule(key) if key else found.sums


def only_rule(found: LastFind, chosen: str) -> ReclamationRule | None:
    """The rule that the sums are about: the chosen one, or the only one that has any subscription."""
    keys = {one.rule for one in chosen_sums(found, chosen)}
    key = keys.pop() if len(keys) == 1 else None
    return ReclamationRule.objects.filter(pk=key).first() if key else None


def latest_finds(request: Any) -> list[dict[str, Any]]:
    """The profiles of the person by name, each with its last find and the largest sums of that as an equation."""
    profiles = list(limit_rows(request, IntegrationProfile.objects.order_by("display_name")))
    found = sums.of_last_finds(profiles)
    shown = []
    for profile in profiles:
        last = found.get(profile.pk)
        words = equation(add_up(profile, last.sums), most=SHOWN) if last else ""
        shown.append({"profile": profile, "last": last, "words": words})
    return shown
