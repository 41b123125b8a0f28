"""The table of entitlements."""

from __future__ import annotations

from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn
from samsaas.lib.selection_bar import TickColumn
from samsaas.lib.tables import Table
from subscriptions.models import Entitlement

NAME = (
    '<a href="{{ record.get_absolute_url }}">{{ record.number }}</a>'
    '<span class="sub">{{ record.software_model|visible }}</span>'
)
LOAD = "{% load entitlements %}"


class EntitlementTable(Table):
    caption = "Entitlements"
    row_links = True
    filtered_title = "No entitlement matches"
    empty_title = "No entitlement is recorded yet"
    empty_text = "An entitlement says how many rights to a product were bought, for how long, and what they cost."

    tick = TickColumn()
    number = MarkupColumn(NAME, verbose_name="Entitlement", order_by="pk", attrs=ROOMY)
    shown_state = MarkupColumn(LOAD + "{{ value|state_pill }}", verbose_name="State")
    rights = MarkupColumn(
        LOAD + "{{ record|rights }}", verbose_name="Rights", attrs=NUMBER, order_by=("unlimited", "purchased_rights")
    )
    allocated = MarkupColumn(
        '<a class="quiet" href="{{ record.get_absolute_url }}#allocations">{{ value|number }}</a>',
        attrs=NUMBER,
        orderable=False,
    )
    start = MarkupColumn("{{ value|date:'j M Y' }}")
    end = MarkupColumn("{{ value|date:'j M Y'|default:'goes on' }}")
    cost = MarkupColumn(LOAD + "{{ record|yearly_cost }}", verbose_name="Cost a year", attrs=NUMBER, orderable=False)
    contract = MarkupColumn("{{ value|outside }}")

    class Meta(Table.Meta):
        model = Entitlement
        fields = ("tick", "number", "shown_state", "rights", "allocated", "start", "end", "cost", "contract")
        sequence = fields
        order_by = "-number"
