"""The tables of the license position."""

from __future__ import annotations

from samsaas.lib.tables import MarkupColumn, NumberColumn, Table
from subscriptions.models import ProductResult


class ProductResultTable(Table):
    caption = "Products"
    row_links = True
    empty_title = "No product"

    product = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ value|visible }}</a>')
    status = MarkupColumn("{{ record.get_status_display }}")
    owned = NumberColumn()
    used = NumberColumn()
    needed = NumberColumn()

    class Meta(Table.Meta):
        model = ProductResult
        fields = ("product", "status", "owned", "used", "needed")
        sequence = fields
        order_by = "product"
