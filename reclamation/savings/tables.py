"""The table of the ledger."""

from __future__ import annotations

from typing import Any

from reclamation.models import SavingsEntry
from reclamation.savings.figures import SavingsFigure
from reclamation.savings.words import write_figure
from samsaas.lib.tables import NUMBER, MarkupColumn, Table

LOAD = "{% load savings %}"


class SavingsTable(Table):
    caption = "Lines of the ledger"
    row_links = True
    filtered_title = "No line matches"
    empty_title = "Nothing was freed so far"
    empty_text = "A line is added when a removed account frees its subscription, and when that is undone."

    on = MarkupColumn("{{ value|date:'j M Y' }}", verbose_name="Day", footer="Sum of all rows")
    candidate = MarkupColumn(
        '<a href="{{ record.candidate.get_absolute_url }}">{{ record.candidate.seat_name|outside }}</a>',
        verbose_name="Subscription",
        orderable=False,
    )
    kind = MarkupColumn(LOAD + "{{ record|kind_pill }}")
    quantity = MarkupColumn(LOAD + "{{ value|signed }}", attrs=NUMBER, footer=lambda table: f"{table.total.count:,}")
    software_model = MarkupColumn("{{ value|default:'–' }}")
    rule_name = MarkupColumn("{{ value|default:'–'|outside }}", verbose_name="Rule")
    profile_name = MarkupColumn('<span class="clamp">{{ value|outside }}</span>', verbose_name="Subscription profile")
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
        footer=lambda table: write_figure(table.total),
    )

    def __init__(self, *args: Any, total: SavingsFigure, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.total = total

    class Meta(Table.Meta):
        model = SavingsEntry
        fields = (
            *("on", "candidate", "kind", "quantity", "software_model", "rule_name", "profile_name", "department"),
            *("entitlement", "amount"),
        )
        sequence = fields
        order_by = "-on"
