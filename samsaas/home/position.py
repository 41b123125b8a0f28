"""What is paid for, and what of it is used: the figures of the license position, or the vendors' before there is one.

Rights and missing = in use, reserved and unused, of the software models without an unlimited license.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from profiles.models import IntegrationProfile
from samsaas.home.amounts import Amounts, PriceList, add_up, read_texts
from subscriptions import counting, links
from subscriptions.models import MetricResult, ReconciliationRun
from subscriptions.reconciliation import tiers
from subscriptions.seat_counts.count import IN_USE
from subscriptions.seat_counts.stored import SeatFigures


@dataclass(frozen=True)
class Tile:
    """A figure, what it costs a year, and the page with what is behind it. A figure of None is not known."""

    label: str
    figure: str
    url: str
    money: Amounts | None = None
    note: str = ""
    tone: str = ""


def read_current() -> list[MetricResult]:
    """The figures of every software model that stand as of today. One query."""
    rows = MetricResult.objects.filter(model_result__current=True, model_result__software_model__isnull=False)
    return list(rows.select_related("model_result"))


def last_whole_run() -> ReconciliationRun | None:
    """The newest reconciliation of everything as of today that has ended, however it did."""
    ended = ReconciliationRun.objects.filter(finished_at__isnull=False, question_date=None)
    return ended.filter(scope_key__endswith="/all").order_by("-pk").first()


def tiles(
    metrics: Sequence[MetricResult], seats: SeatFigures, profiles: Iterable[IntegrationProfile], *, is_owned: bool
) -> list[Tile]:
    """Four figures that add up: of the license position where anything is owned, else as the vendors count."""
    if metrics and is_owned:
        return _of_position(metrics)
    return _of_vendors(profiles, seats, PriceList.from_metrics(metrics))


def _of_position(metrics: Sequence[MetricResult]) -> list[Tile]:
    usage = reverse("license-usage")
    limited = [one for one in metrics if not one.unlimited]
    owned, unused = sum(one.owned for one in metrics), sum(max(0, one.available or 0) for one in limited)
    missing = sum(one.needed for one in metrics)
    is_unlimited = len(limited) < len(metrics)
    spend = read_texts(tiers.add_amounts(one.annual_spend for one in metrics))
    over = add_up((one.over_licensed, one.currency, max(0, one.available or 0)) for one in limited)
    short = add_up((one.true_up, one.currency, one.needed) for one in metrics)
    in_use = {one.model_result.software_model_id: one.in_use for one in metrics}
    return [
        Tile(
            "Rights you pay for",
            f"{owned:,}" if owned or not is_unlimited else "Unlimited",
            f"{reverse('entitlement_list')}?state=in_use",
            spend if spend.by_currency else Amounts(unknown=owned),
            "and unlimited ones" if is_unlimited and owned else "",
        ),
        Tile(
            *("In use", f"{sum(in_use.values()):,}", links.list_url(position=counting.COUNTED)),
            PriceList.from_metrics(metrics).cost_of(in_use),
        ),
        Tile("Rights not used", f"{unused:,}", f"{usage}?sort=over_licensed", over, tone="warn" if unused else ""),
        Tile("Rights missing", f"{missing:,}", f"{usage}?status=out", short, tone="bad" if missing else "good"),
    ]


def equation(metrics: Sequence[MetricResult]) -> str:
    """Why the figures are as they are: 60 rights + 5 missing = 58 in use + 2 reserved + 5 not used."""
    limited = [one for one in metrics if not one.unlimited]
    parts: dict[str, int] = {
        "owned": sum(one.owned for one in limited),
        "missing": sum(one.needed for one in limited),
        "in use": sum(one.in_use for one in limited),
        "reserved for people who do not use them": sum(one.allocated_not_in_use for one in limited),
        "not used": sum(max(0, one.available or 0) for one in limited),
    }
    words = [f"{number:,} {name}" for name, number in parts.items()]
    text = f"{words[0]} + {words[1]} = {' + '.join(words[2:])}"
    aside = sum(one.in_use for one in metrics if one.unlimited)
    return f"{text}, and {aside:,} in use under an unlimited license." if len(limited) < len(metrics) else f"{text}."


def _of_vendors(profiles: Iterable[IntegrationProfile], seats: SeatFigures, prices: PriceList) -> list[Tile]:
    """The vendors' counts of licenses, each team once, beside what is in use as counted here."""
    teams: dict[Any, IntegrationProfile] = {}
    for one in profiles:
        teams.setdefault((one.vendor, one.team_id) if one.team_id else one.pk, one)
    said = [one.licenses_reported for one in teams.values() if one.licenses_reported is not None]
    licensed = sum(said) if said else None
    in_use, models = seats.total[IN_USE], seats.of_models(IN_USE)
    missing = None if licensed is None or licensed >= in_use else in_use - licensed
    left = "Licenses missing" if missing else "Licenses not used"
    rest = None if licensed is None else abs(licensed - in_use)
    where = reverse("profile_list")
    return [
        Tile("Licenses you pay for", _write(licensed), where, note="per vendor; no entitlement counts yet"),
        Tile("In use", f"{in_use:,}", links.list_url(license=links.USES), prices.cost_of(models), "counted here"),
        Tile(left, _write(rest), where, note="the difference", tone="bad" if missing else ""),
    ]


def _write(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"
