"""Lines and figures of the ledger of savings on pages."""

from __future__ import annotations

from django import template
from django.utils import timezone

from reclamation.models import SavingsEntry
from reclamation.savings import months, words
from reclamation.savings.figures import SavingsFigure
from samsaas.lib.charts import Drawing
from samsaas.lib.markup import pill

register = template.Library()
Kind = SavingsEntry.Kind
LOOKS: dict[str, str] = {
    Kind.FREED: "freed",
    Kind.RESTORED: "returned",
    Kind.RETURNED: "returned",
    Kind.SAVED: "yes",
    Kind.SAVED_OFFSET: "warning",
}


@register.filter
def kind_pill(line: SavingsEntry) -> str:
    """What a line of the ledger is, as a pill."""
    return pill(LOOKS.get(line.kind, ""), str(line.get_kind_display()))


@register.filter
def signed(quantity: int) -> str:
    """+1 or −1."""
    return f"{words.MINUS if quantity < 0 else '+'}{abs(quantity):,}"


@register.filter
def line_amount(line: SavingsEntry) -> str:
    """The money of a line a year."""
    return words.write_amount(line.amount, line.currency)


@register.filter
def amounts(figure: SavingsFigure) -> list[str]:
    """The money of a figure: one text for each currency, and one for what has no price."""
    return words.list_amounts(figure)


@register.simple_tag
def savings_by_month() -> Drawing | None:
    """Subscriptions freed and saved by month; None as long as nothing was freed."""
    if not SavingsEntry.objects.exists():
        return None
    return months.draw_months(timezone.localdate())[0]
