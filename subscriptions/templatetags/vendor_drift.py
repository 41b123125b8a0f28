"""Vendor drift on pages: whether two counts agree, by how much not, and since when."""

from __future__ import annotations

from django import template
from django.utils.html import format_html

from samsaas.lib.markup import NOTHING, pill
from samsaas.templatetags.ui import day
from subscriptions.renewals.words import MINUS
from subscriptions.vendor_drift.compare import Agreement, Difference

register = template.Library()
LOOKS: dict[str, str] = {Agreement.DIFFERS: "warning", Agreement.UNKNOWN: "unknown", Agreement.AGREES: "yes"}


@register.filter
def agreement_pill(agreement: Agreement) -> str:
    """Whether both sides count the same, as a pill."""
    return pill(LOOKS[agreement], str(agreement.label))


@register.filter
def rights_number(rights: int | None) -> str:
    """A number of rights; None is unlimited."""
    return "unlimited" if rights is None else f"{rights:,}"


@register.filter
def difference(drift: int | None) -> str:
    """How many more or fewer are counted here: +3, −3, 0; a dash where that is not known."""
    if drift is None:
        return NOTHING
    return f"{'+' if drift > 0 else MINUS if drift < 0 else ''}{abs(drift):,}"


@register.filter
def since_when(one: Difference) -> str:
    """The day of the first reconciliation since which they differ; a dash where they do not."""
    if one.since is None:
        return NOTHING
    return format_html("at least {}", day(one.since)) if one.is_longer else day(one.since)
