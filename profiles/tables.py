"""The table of integration profiles."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Sum

from profiles.models import IntegrationProfile
from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn
from samsaas.lib.tables import Table


def column_total(column: str) -> Callable[[Table], str]:
    """A footer with the sum of a column over all pages of the filtered list."""
    return lambda table: f"{table.data.data.aggregate(all=Sum(column))['all'] or 0:,}"


class ProfileTable(Table):
    caption = "Direct integration profiles"
    row_links = True
    empty_title = "No integration profile yet"

    display_name = MarkupColumn(
        '<a class="clamp" href="{{ record.get_absolute_url }}">{{ record.display_name|outside }}</a>',
        attrs=ROOMY,
        footer="Total",
    )
    vendor = MarkupColumn("{{ record.vendor_info.label }}", verbose_name="Profile type")
    team_name = MarkupColumn("{{ record.team_name|outside }}", verbose_name="Team")
    status = MarkupColumn(
        "{% pill record.status record.get_status_display %}"
        "{% if record.attention %} {% pill record.attention record.get_attention_display %}{% endif %}"
        '{% for notice in record.notices %}<span class="sub">{{ notice.title }}</span>{% endfor %}',
        order_by=("-attention", "status"),
    )
    seats_used_reported = MarkupColumn(
        "{{ value|number }}",
        verbose_name="Licenses in use (per vendor)",
        attrs=NUMBER,
        footer=column_total("seats_used_reported"),
    )
    licenses_reported = MarkupColumn(
        "{{ value|number }}",
        verbose_name="Licenses purchased (per vendor)",
        attrs=NUMBER,
        footer=column_total("licenses_reported"),
    )
    refreshed_at = MarkupColumn('{{ record.refreshed_at|ago:"never" }}', verbose_name="Last refresh")

    class Meta(Table.Meta):
        model = IntegrationProfile
        fields = (
            "display_name",
            "vendor",
            "team_name",
            "status",
            "refreshed_at",
            "seats_used_reported",
            "licenses_reported",
        )
        order_by = "display_name"
