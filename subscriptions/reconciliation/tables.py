"""The table of reconciliations."""

from __future__ import annotations

from samsaas.lib.tables import MarkupColumn, Table
from subscriptions.models import ReconciliationRun


class ReconciliationTable(Table):
    caption = "Reconciliations"
    row_links = True
    empty_title = "No reconciliation yet"
    empty_text = "A reconciliation compares what is in use with what was purchased."

    number = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ value }}</a>', order_by="pk")
    state = MarkupColumn("{{ record.get_state_display }}")
    started_at = MarkupColumn("{{ value|when }}", verbose_name="Started")

    class Meta(Table.Meta):
        model = ReconciliationRun
        fields = ("number", "state", "started_at")
        sequence = fields
        order_by = "-number"
