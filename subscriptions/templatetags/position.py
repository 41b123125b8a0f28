"""The license position on pages: reconciliations, statuses, amounts of several currencies."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from samsaas.lib.markup import NOTHING, outside, pill, visible
from samsaas.templatetags.ui import duration
from subscriptions.entitlements.price import WITHOUT_PRICE
from subscriptions.models import (
    ComplianceStatus,
    GroupResult,
    MetricResult,
    PositionGroup,
    ProductResult,
    ReconciliationRun,
    RemediationOption,
    SeatResult,
)
from subscriptions.reconciliation import words
from subscriptions.remedies import words as remedy_words
from subscriptions.usage import amounts as usage_amounts, status
from subscriptions.usage.filters import NO_VALUE

register = template.Library()

STATES: dict[str, str] = {
    ReconciliationRun.State.IN_PROGRESS: "running",
    ReconciliationRun.State.COMPLETED: "succeeded",
    ReconciliationRun.State.PARTIALLY_COMPLETED: "warning",
    ReconciliationRun.State.FAILED: "failed",
}
STATUSES: dict[str, str] = {
    ComplianceStatus.COMPLIANT: "yes",
    ComplianceStatus.NOT_COMPLIANT: "attention_required",
    ComplianceStatus.NOT_ENTITLED: "warning",
}


@register.filter
def run_state(run: ReconciliationRun) -> str:
    """The state of a reconciliation. One that a person canceled says so."""
    if run.is_canceled:
        return pill("canceled", "Canceled")
    return pill(STATES[run.state], run.get_state_display())


@register.filter
def as_of(run: ReconciliationRun) -> str:
    """The day it was asked about."""
    return words.write_as_of(run) if run.question_date else format_html('<span class="muted">{}</span>', "Now")


@register.filter
def run_scope(run: ReconciliationRun) -> str:
    """What it is about."""
    return outside(words.write_scope(run))


@register.filter
def run_group(run: ReconciliationRun) -> str:
    """By what it is divided."""
    return words.write_group(run) or NOTHING


@register.filter
def asked_by(run: ReconciliationRun) -> str:
    """Who or what asked for it."""
    return outside(words.write_asker(run))


@register.filter
def run_duration(run: ReconciliationRun) -> str:
    """How long it took."""
    return duration((run.finished_at - run.started_at).total_seconds()) if run.finished_at else NOTHING


@register.filter
def status_pill(result: Any) -> str:
    """Whether a product, a license metric or a publisher is compliant."""
    if isinstance(result, (ProductResult, MetricResult)) and status.is_not_known(result):
        return pill("unknown", "Not known")
    found = ComplianceStatus(result["status"] if isinstance(result, Mapping) else result.status)
    return pill(STATUSES[found], str(found.label))


@register.filter
def owned(result: ProductResult | MetricResult) -> str:
    """The rights owned. Of several models the limited ones are summed, and *unlimited* is said beside them."""
    if not result.unlimited:
        return f"{result.owned:,}"
    return f"{result.owned:,} + unlimited" if result.owned and isinstance(result, ProductResult) else "Unlimited"


@register.simple_tag(takes_context=True)
def amounts(context: RequestContext, found: Mapping[str, str] | None, unpriced: int = 0) -> str:
    """Amounts, one line for each currency. Nothing is *not known* where models without a price are among them."""
    lines = usage_amounts.write_amounts(found or {}, usage_amounts.preferred_currency(context.get("request")))
    if not lines:
        return format_html('<span class="muted">{}</span>', usage_amounts.UNKNOWN) if unpriced else NOTHING
    return format_html_join("", "<div>{}</div>", ((line,) for line in lines))


@register.simple_tag(takes_context=True)
def spend(context: RequestContext, metric: MetricResult) -> str:
    """What the entitlements of a metric cost a year; not known where one of them has a cost that nobody knows."""
    return amounts(context, metric.annual_spend, WITHOUT_PRICE in metric.flags)


@register.filter
def money_in(amount: Decimal | None, currency: str) -> str:
    """One amount; not known where there is none."""
    return usage_amounts.write_amount(amount, currency)


@register.simple_tag(takes_context=True)
def over_licensed(context: RequestContext, result: ProductResult | MetricResult) -> str:
    """What the rights that are left cost; not known where more may have been in use."""
    if status.is_not_known(result):
        return format_html('<span class="muted">{}</span>', usage_amounts.UNKNOWN)
    if isinstance(result, MetricResult):
        return money_in(result.over_licensed, result.currency)
    return amounts(context, result.over_licensed, result.unpriced)


@register.filter
def price_in(price: Decimal | None, currency: str) -> str:
    """The price of a right with all the decimals that it is computed with; not known where there is none."""
    return usage_amounts.write_price(price, currency)


COVERED: dict[str, tuple[str, str]] = {
    SeatResult.Covered.ALLOCATION: ("yes", "Allocation"),
    SeatResult.Covered.RIGHT: ("yes", "Right"),
    SeatResult.Covered.NONE: ("missing", "Not covered"),
}
OPTION_STATES: dict[str, str] = {
    RemediationOption.State.NEW: "new",
    RemediationOption.State.IN_PROGRESS: "open",
    RemediationOption.State.COMPLETE: "done",
    RemediationOption.State.COMPLETED_WITH_ERRORS: "warning",
    RemediationOption.State.VOID: "ended",
}


@register.filter
def covered_pill(seat: SeatResult) -> str:
    """By what a subscription is covered."""
    return pill(*COVERED[seat.covered_by])


@register.simple_tag
def seat_why(seat: SeatResult) -> str:
    """Why a subscription is covered, or not, with a link to the entitlement of its allocation."""
    text = visible(status.explain_seat(seat, seat.metric_result))
    if seat.entitlement_id is None:
        return text
    if seat.entitlement is None:
        return f"{text}, since deleted"
    return format_html('{}, <a href="{}">{}</a>', text, seat.entitlement.get_absolute_url(), seat.entitlement.number)


@register.filter
def group_name(group: GroupResult) -> str:
    """The group, or why there is none."""
    return _name_of_group(group.value, group.missing, _run_of(group).group)


@register.filter
def subgroup_name(group: GroupResult) -> str:
    """The subgroup, or why there is none."""
    return _name_of_group(group.subvalue, group.submissing, _run_of(group).subgroup)


def _name_of_group(value: str, missing: str, kind: str) -> str:
    if not missing:
        return outside(value)
    label = "user" if missing == GroupResult.Missing.USER else str(PositionGroup(kind).label).lower()
    return format_html('<span class="muted">No {}</span>', label)


def _run_of(group: GroupResult) -> ReconciliationRun:
    return group.metric_result.model_result.product_result.run


@register.simple_tag
def group_figure(group: GroupResult, name: str) -> str:
    """A figure of a group, with the list of its subscriptions where they are stored."""
    number = f"{getattr(group, name):,}"
    if not group.metric_result.has_seats:
        return number
    run, filters = _run_of(group), {}
    for kind, value, missing in (
        (run.group, group.value, group.missing),
        (run.subgroup, group.subvalue, group.submissing),
    ):
        if missing == GroupResult.Missing.USER:
            filters["user"] = "without"
        elif kind != PositionGroup.NONE:
            filters[kind] = NO_VALUE if missing else value
    if name == "unlicensed":
        filters["covered"] = SeatResult.Covered.NONE
    url = f"{reverse('seat_result_list', args=[group.metric_result_id])}?{urlencode(filters)}"
    return format_html('<a class="quiet" href="{}">{}</a>', url, number)


@register.filter
def option_state(option: RemediationOption) -> str:
    """The state of a remedy, as a pill."""
    return pill(OPTION_STATES[option.state], option.get_state_display())


@register.filter
def option_words(option: RemediationOption) -> str:
    """What a remedy would do, in a sentence."""
    return remedy_words.describe(option)


@register.filter
def option_cost(option: RemediationOption) -> str:
    """What a remedy costs."""
    return remedy_words.describe_cost(option)


@register.filter
def drift(row: Mapping[str, Any]) -> str:
    """By how much the own count is more than the vendor's; not known where the vendor does not say."""
    if row["drift"] is None:
        return format_html('<span class="muted">{}</span>', usage_amounts.UNKNOWN)
    return f"{row['drift']:+,}" if row["drift"] else "0"
