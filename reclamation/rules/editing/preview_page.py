"""What the page and the file of a preview show: a change of a rule, what it would do, and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reclamation.models import ReclamationRule
from reclamation.rules import edit_rule, effect_words, preview_change, versions, words
from reclamation.rules.scope import read_scope
from reclamation.sentences import label_verdict

HEADER = (
    *("Display name", "User principal name", "External user id", "Subscription profile", "User", "Department"),
    *("Enters or leaves", "Reason before", "Reason after"),
)


def describe_preview(rule: ReclamationRule, after: ReclamationRule, now: datetime) -> dict[str, Any]:
    """The context of the page. `after` is the rule with what was filled in, not stored."""
    observes = _let_observe(rule, after, now)
    preview = preview_change.run(rule, after, read_scope(rule, now))
    changes = _describe_changes(rule, after)
    return {
        "rule": rule,
        "after": after,
        "changes": changes,
        "remarks": effect_words.describe_effect(rule, after, preview, observes=observes, changes=bool(changes)),
        "preview": preview,
        "rows": [(label_verdict(row.verdict), row) for row in preview.rows],
        "moves": [
            ("Enter", preview.entering, _name_moves(preview.enters)),
            ("Leave", preview.leaving, _name_moves(preview.leaves)),
        ],
        "money_before": preview_change.money(preview.before, rule),
        "money_after": preview_change.money(preview.after, rule),
    }


def export_moves(rule: ReclamationRule, after: ReclamationRule, now: datetime) -> tuple[int, Iterator[tuple[Any, ...]]]:
    """How many enter or leave, and a line of the file for each."""
    _let_observe(rule, after, now)
    scope = read_scope(rule, now)
    preview = preview_change.run(rule, after, scope)
    return preview.entering + preview.leaving, _write_lines(preview_change.iterate_moves(rule, after, scope))


def _write_lines(seats: Iterator[Any]) -> Iterator[tuple[Any, ...]]:
    for seat in seats:
        person = seat.match.person if hasattr(seat, "match") else None
        enters = seat.verdict.startswith("no:")
        yield (
            *(seat.display_name, seat.email, seat.external_id, seat.profile.display_name),
            *(person.name if person else "", person.department if person else ""),
            *("enters" if enters else "leaves", label_verdict(seat.verdict), label_verdict(seat.after)),
        )


def _let_observe(rule: ReclamationRule, after: ReclamationRule, now: datetime) -> bool:
    """As saving would: a rule in mode automatic observes after a change of whom it proposes."""
    changed = [name for name in rule.SETTINGS if getattr(rule, name) != getattr(after, name)]
    return edit_rule.observe_if_watched(after, changed, now)


def _describe_changes(rule: ReclamationRule, after: ReclamationRule) -> list[str]:
    both = (versions.settings_as_stored(rule), versions.settings_as_stored(after))
    renamed = [f"Name: {rule.name} → {after.name}"] if rule.name != after.name else []
    return renamed + words.describe_changes(*both, words.read_names(*both))


def _name_moves(seats: tuple[Any, ...]) -> list[tuple[Any, str, str]]:
    return [(seat, label_verdict(seat.verdict), label_verdict(seat.after)) for seat in seats]
