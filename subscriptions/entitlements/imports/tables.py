"""The table of an import's lines."""

from __future__ import annotations

from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn
from samsaas.lib.tables import Table
from subscriptions.models import EntitlementImportRow

LOAD = "{% load entitlements %}"


class EntitlementRowTable(Table):
    caption = "Lines of the file"
    empty_title = "No line"
    filtered_title = "No line matches"

    line = MarkupColumn("{{ value|number }}", attrs=NUMBER)
    effect = MarkupColumn(LOAD + "{{ record|row_effect }}", verbose_name="Effect")
    name = MarkupColumn("{{ value|outside }}", verbose_name="Software model", attrs=ROOMY)
    rights = MarkupColumn("{{ record.values.cells.purchased_rights|outside }}", orderable=False, attrs=NUMBER)
    term = MarkupColumn(
        '<span class="whole">{{ record.values.cells.start|outside }}</span> {% if record.values.cells.end %}'
        '<span class="whole">– {{ record.values.cells.end|outside }}</span>{% endif %}',
        orderable=False,
    )
    cost = MarkupColumn(LOAD + "{{ record|row_cost }}", orderable=False)
    detail = MarkupColumn(
        "{% if record.problem %}{{ record.problem|outside }}{% else %}{{ record.note|outside }}{% endif %}",
        verbose_name="What to know",
        orderable=False,
    )

    class Meta(Table.Meta):
        model = EntitlementImportRow
        fields = ("line", "effect", "name", "rights", "term", "cost", "detail")
        order_by = "line"
