"""The table of an import's lines."""

from __future__ import annotations

from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn, NameColumn
from samsaas.lib.tables import Table
from subscriptions.models import PersonImportRow


class ImportRowTable(Table):
    caption = "Lines of the file"
    empty_title = "No line"
    filtered_title = "No line matches"

    line = MarkupColumn("{{ value|number }}", attrs=NUMBER)
    effect = MarkupColumn("{% load people_import %}{{ record|import_effect }}", verbose_name="Effect")
    key = NameColumn(verbose_name="Employee number")
    name = MarkupColumn(
        "{% load people_import %}{{ record.values.cells.name|long_text:80 }}",
        orderable=False,
        attrs=ROOMY,
    )
    detail = MarkupColumn(
        '{% include "subscriptions/people/imports/row_detail.html" with row=record %}', orderable=False
    )

    class Meta(Table.Meta):
        model = PersonImportRow
        fields = ("line", "effect", "key", "name", "detail")
        order_by = "line"
