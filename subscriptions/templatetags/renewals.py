"""Renewals on pages: their state, the days left, and the change in rights and money."""

from __future__ import annotations

from django import template

from samsaas.lib.markup import NOTHING, pill
from subscriptions.entitlements.renewals import Renewal
from subscriptions.renewals import words
from subscriptions.renewals.rows import RenewalRow, Urgency

register = template.Library()

# State -> the look of its pill.
LOOKS: dict[str, str] = {
    Urgency.AUTO_RENEWED: "attention_required",
    Urgency.ENDED: "attention_required",
    Urgency.SOON: "warning",
    Urgency.OPEN: "open",
    Urgency.TOO_LATE: "ended",
    Urgency.ASKED: "yes",
}


@register.filter
def urgency_pill(row: RenewalRow) -> str:
    """What a renewal asks of a person, as a pill."""
    return pill(LOOKS[row.urgency], str(row.urgency.label))


@register.filter
def days_left(one: Renewal) -> str:
    """How much time there is to ask for a reduction."""
    return words.write_days_left(one)


@register.filter
def advice(one: Renewal) -> str:
    """What to buy, in a sentence."""
    return words.write_advice(one)


@register.filter
def rights_change(change: int | None) -> str:
    """Rights more or less; a dash without advice."""
    return words.write_change(change) or NOTHING


@register.filter
def rights_and_change(one: Renewal) -> str:
    """What it has and what to change, on a narrow line: 100 rights, −19."""
    if one.entitlement.unlimited:
        return "unlimited"
    change = f", {words.write_change(one.change)}" if one.change else ""
    return f"{one.entitlement.purchased_rights:,} rights{change}"


@register.filter
def money_change(one: Renewal) -> str:
    """What the recommended number costs more or less a year; a dash without advice."""
    if one.recommended is None:
        return NOTHING
    return words.write_signed(one.yearly_change, one.entitlement.currency)
