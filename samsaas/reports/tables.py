"""The list of reports."""

from __future__ import annotations

from samsaas.lib import tables
from samsaas.lib.columns import MarkupColumn, NumberColumn
from samsaas.models import MailedReport


class ReportTable(tables.Table):
    caption = "Reports"
    row_links = True
    empty_title = "No report yet"
    empty_text = "A report mails figures to people without an account, every week or every month."

    name = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ value|outside }}</a>')
    kind = MarkupColumn("{{ record.get_kind_display }}")
    every = MarkupColumn("{{ record.days }}", verbose_name="When")
    people = NumberColumn(verbose_name="Recipients", orderable=False)
    active = MarkupColumn("{% if value %}{% pill 'yes' 'On' %}{% else %}{% pill 'no' 'Off' %}{% endif %}")
    sent_at = MarkupColumn("{{ value|when }}", verbose_name="Last sent")

    class Meta(tables.Table.Meta):
        model = MailedReport
        fields = ("name", "kind", "every", "people", "active", "sent_at")
        order_by = "name"
