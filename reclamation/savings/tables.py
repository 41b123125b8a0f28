"""The table of the ledger."""

from __future__ import annotations

from typing import Any

from reclamation.models import SavingsEntry
from reclamation.savings.figures import SavingsFigure
from reclamation.savings.words import list_amounts
from samsaas.lib.columns import NUMBER, MarkupColumn, one_each_line
from samsaas.lib.tables import Table

LOAD = "{% load savings %}"
SUBSCRIPTION = (
    '<a href="{{ record.candidate.get_absolute_url }}">{{ record.candidate.seat_name|outside }}</a>'
    '<span class="sub">{{ record.profile_name|outside }}</span>'
)
MODEL = (
    "{{ value|default:'–'|outside }}"
    '{% if record.rule_name %}<span class="sub">{{ record.rule_name|outside }}</span>{% endif %}'
)
ONE_LINE = {"td": {"class": "narrow"}}


class SavingsTable(Table):
    caption = "Lines of the ledger"
    row_links = True
    filtered_title = "No line matches"
    empty_title = "Nothing was freed so far"
    empty_text = "A line is added when a removed account frees its subscription, and when that is undone."

    on = MarkupColumn("{{ value|date:'j M Y' }}", verbose_name="Day", attrs=ONE_LINE, footer="Sum of all rows")
    candidate = MarkupColumn(SUBSCRIPTION, verbose_name="Subscription", orderable=False)
    kind = MarkupColumn(LOAD + "{{ record|kind_pill }}")
    quantity = MarkupColumn(LOAD + "{{ value|signed }}", attrs=NUMBER, footer=lambda table: f"{table.total.count:,}")
    software_model = MarkupColumn(MODEL)
    department = MarkupColumn("{{ value|default:'–'|outside }}")
    entitlement = MarkupColumn(
        '{% if value %}<a href="{{ value.get_absolute_url }}">{{ value.number }}</a>{% else %}–{% endif %}',
        verbose_name="Renewal",
        orderable=False,
    )
    amount = MarkupColumn(
        LOAD + "{{ record|line_amount }}",
        verbose_name="A year",
        attrs=NUMBER,
        footer=lambda table: one_each_line(list_amounts(table.total)),
    )

    def __init__(self, *args: Any, total: SavingsFigure, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.total = total

    class Meta(Table.Meta):
        model = SavingsEntry
        fields = (
            *("on", "candidate", "kind", "quantity", "software_model", "department"),
            *("entitlement", "amount"),
        )
        sequence = fields
        order_by = "-on"
