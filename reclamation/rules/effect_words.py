"""What a previewed change means, in sentences: what a person should know before they save it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from reclamation.models import ReclamationRule
from reclamation.reasons import Decision, Reason, as_verdict
from reclamation.rules.preview_change import Preview
from reclamation.rules.words import count_days

GAP = as_verdict(Decision.NO, Reason.GAP)


@dataclass(frozen=True)
class Remark:
    """One notice on the page of the preview."""

    title: str
    text: str
    tone: str = "warn"


def describe_effect(
    before: ReclamationRule, after: ReclamationRule, preview: Preview, *, observes: bool, changes: bool
) -> list[Remark]:
    """The remarks, the most important ones first."""
    found = [
        _say_extremes(after, preview),
        _say_limits(preview),
        _say_gap(after, preview),
        _say_candidates(preview),
        _say_observing(after) if observes else None,
        _say_review(before) if changes else None,
    ]
    return [remark for remark in found if remark]


def _say_extremes(after: ReclamationRule, preview: Preview) -> Remark | None:
    if not after.active:
        return Remark("The rule will be off", "It opens no candidate any more. It can be switched on again here.")
    if preview.total and preview.after == preview.total:
        return Remark("It would propose every subscription", "Nobody of this software model would be left.", "bad")
    if preview.total and not preview.after:
        return Remark("It would propose nobody", "The reasons below say why.")
    return None


def _say_limits(preview: Preview) -> Remark | None:
    if preview.matching == 0 and preview.total:
        return Remark("No subscription matches the limits", "Only subscriptions of users who left can be proposed.")
    if preview.matching is not None and preview.matching == preview.total and preview.total:
        return Remark("Every subscription matches the limits", "At present they leave nobody out.", "info")
    return None


def _say_gap(after: ReclamationRule, preview: Preview) -> Remark | None:
    gap = next((row for row in preview.rows if row.verdict == GAP), None)
    if gap is None or gap.difference <= 0:
        return None
    text = f"{count_subscriptions(gap.after)} cannot be judged: nobody has read their activity for so long."
    return Remark(f"Activity was not read for all of {count_days(after.threshold_days)}", text)


def _say_candidates(preview: Preview) -> Remark | None:
    if not preview.closing and not preview.going_on:
        return None
    closing = (
        f"The next find closes {_count_candidates(preview.closing)} as skipped, because nobody was asked yet."
        if preview.closing
        else ""
    )
    going_on = f"{_count_candidates(preview.going_on)} of those that leave go on." if preview.going_on else ""
    return Remark("Open candidates", " ".join(filter(None, (closing, going_on))), "info")


def _say_observing(after: ReclamationRule) -> Remark:
    until = timezone.localtime(after.observe_until) if after.observe_until else None
    text = f"Whom a rule in mode automatic proposes has changed. Until {until:%-d %b %Y, %H:%M} it opens no candidate."
    return Remark("It will only observe for 7 days", text, "info")


def _say_review(before: ReclamationRule) -> Remark | None:
    if before.reviewed_at is None:
        return None
    text = "The rule goes on with the changed settings. Somebody should read them and confirm the review again."
    return Remark("Changed since its review", text, "info")


def count_subscriptions(number: int) -> str:
    return f"{number:,} subscription{'' if number == 1 else 's'}"


def _count_candidates(number: int) -> str:
    return f"{number:,} open candidate{'' if number == 1 else 's'}"
