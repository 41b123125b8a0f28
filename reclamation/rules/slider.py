"""The slider of a rule: subscriptions and money against the threshold, with the chosen threshold in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from reclamation.models import ReclamationRule
from reclamation.rules import kept_counts, thresholds
from reclamation.rules.scope import Scope
from reclamation.rules.thresholds import DRAWN, HIGHEST, LOWEST, ThresholdCounts
from reclamation.rules.words import count_days
from samsaas.lib import charts
from samsaas.lib.charts import Chart, Drawing, Series


@dataclass(frozen=True)
class Slider:
    """What the page shows. `current` is the rule's own threshold, `chosen` the one that is looked at."""

    drawing: Drawing
    current: int
    chosen: int
    lowest: int
    highest: int
    words: str
    count_now: int
    count: int
    reach: str

    @property
    def is_other(self) -> bool:
        return self.chosen != self.current


def draw(rule: ReclamationRule, scope: Scope, *, asked: str = "") -> Slider:
    """The slider with the threshold that somebody asked for, or with the rule's own."""
    chosen = _read_days(asked) or rule.threshold_days
    kept = kept_counts.read(rule, scope)
    counts = thresholds.count_by_threshold(rule, scope, kept)
    highest = max(DRAWN, chosen, rule.threshold_days)
    counted = "when candidates were last found today" if kept else "now"
    drawing = charts.draw(_make_chart(rule, counts, highest, chosen, counted))
    return Slider(
        drawing=drawing,
        current=rule.threshold_days,
        chosen=chosen,
        lowest=LOWEST,
        highest=highest,
        words=drawing.threshold_words,
        count_now=counts.at(rule.threshold_days),
        count=counts.at(chosen),
        reach=_describe_reach(scope),
    )


def write_money(amount: Decimal, currency: str) -> str:
    """An amount with its currency, without the cents where there are none."""
    return f"{amount:,.0f} {currency}" if amount == amount.to_integral_value() else f"{amount:,.2f} {currency}"


def _make_chart(rule: ReclamationRule, counts: ThresholdCounts, highest: int, chosen: int, counted: str) -> Chart:
    days = range(LOWEST, highest + 1)
    numbers = [counts.at(day) for day in days]
    cost, currency = rule.software_model.cost_override, rule.software_model.currency
    money = [float(number * cost) for number in numbers] if cost is not None else []
    line = Series("Cost a year", money, lambda value: write_money(_exact(value), currency)) if money else None
    return Chart(
        title="Subscriptions it would propose, by threshold",
        description=f"If only the threshold changed, counted {counted}. Those with an open candidate count, too.",
        axis="Threshold",
        points=[count_days(day) for day in days],
        bars=Series("Subscriptions", numbers),
        line=line,
        threshold=chosen - LOWEST,
    )


def _exact(value: float) -> Decimal:
    """The amount that a coordinate of the chart stands for."""
    return Decimal(value).quantize(Decimal("0.01"))


def _describe_reach(scope: Scope) -> str:
    """Up to which threshold the activity that was read can prove anything."""
    days = thresholds.covered_days(scope)
    if days is None:
        return "No activity was read so far, so only leavers and invitations can be proposed."
    if days >= DRAWN:
        return ""
    since = timezone.localtime(scope.now).date() - timedelta(days=days - 1)
    return (
        f"Activity was read without a gap since {since:%-d %b %Y}. Beyond {count_days(days)} nobody knows whether a "
        "subscription was used, so only leavers and invitations are left."
    )


def _read_days(text: str) -> int | None:
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    return days if LOWEST <= days <= HIGHEST else None
