"""Why a license metric has its status, and why a subscription is covered or not, in sentences."""

from __future__ import annotations

from datetime import date

from subscriptions.entitlements import words
from subscriptions.models import ComplianceStatus, Entitlement, MetricResult, ProductResult, SeatResult

FLAGS = {
    "override": "The price is the override of the software model.",
    "mixed_currency": "Rights were bought in several currencies: the one with most rights gives the price.",
    "no_price": "No price is known, so no money is. Record a cost, or an override on the software model.",
    "entitlement_without_price": "The cost of an entitlement in force is not known. It is left out of the price.",
}


def is_not_known(result: ProductResult | MetricResult) -> bool:
    """Whether it is compliant only as far as is known: of its day not every profile is known, so more was in use."""
    if result.status != ComplianceStatus.COMPLIANT or result.unlimited:
        return False
    product = result if isinstance(result, ProductResult) else result.model_result.product_result
    return bool(product.run.unknown)


def explain(metric: MetricResult, last_ended: Entitlement | None = None) -> str:
    """Why the metric has its status."""
    if is_not_known(metric):
        missing = ", ".join(metric.model_result.product_result.run.unknown)
        at_least = f"At least {metric.used:,} are used and {metric.owned:,} are owned."
        return f"{at_least} Nothing is known that day of {missing}."
    if metric.status == ComplianceStatus.NOT_ENTITLED:
        return _explain_not_entitled(metric, last_ended)
    if metric.unlimited:
        return "An unlimited entitlement is in force, so every subscription is covered."
    if metric.needed:
        return (
            f"{_rights(metric.needed)} {'is' if metric.needed == 1 else 'are'} missing: {metric.used:,} are used and "
            f"{metric.owned:,} are owned."
        )
    spare = metric.available or 0
    return f"Every subscription is covered, and {_rights(spare)} {'is' if spare == 1 else 'are'} left."


def _explain_not_entitled(metric: MetricResult, last: Entitlement | None) -> str:
    start = f"{metric.in_use:,} {'is' if metric.in_use == 1 else 'are'} in use, and no entitlement is in force."
    if last is None:
        return f"{start} None was ever recorded."
    over = last.retired_on or last.end
    return f"{start} The last one, {last.number}, ended on {words.write_day(over)}."


def explain_flags(metric: MetricResult) -> list[str]:
    """What to know of the price."""
    return [FLAGS[flag] for flag in metric.flags if flag in FLAGS]


def explain_seat(seat: SeatResult, metric: MetricResult) -> str:
    """Why a subscription is covered, or not."""
    if seat.covered_by == SeatResult.Covered.ALLOCATION:
        return f"Covered by an allocation for {seat.person_name or 'its user'}"
    if metric.unlimited:
        return "Covered: the rights are unlimited"
    free = max(0, metric.owned - metric.allocated)
    if seat.covered_by == SeatResult.Covered.RIGHT:
        return f"Right no. {seat.rank:,} of {free:,}"
    return f"None left: no. {seat.rank:,} in line for {_rights(free)}"


def _rights(count: int) -> str:
    return f"{count:,} right{'' if count == 1 else 's'}"


def last_ended(entitlements: list[Entitlement], day: date) -> Entitlement | None:
    """The published entitlement that ended or was retired last before a day."""
    over = [(one.retired_on or one.end, one) for one in entitlements]
    ended = [(on, one.pk, one) for on, one in over if on is not None and on <= day]
    return max(ended, key=lambda row: row[:2])[2] if ended else None
