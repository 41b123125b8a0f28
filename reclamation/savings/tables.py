"""The table of the ledger."""

from __future__ import annotations

from reclamation.models import SavingsEntry
from samsaas.lib.tables import NUMBER, MarkupColumn, Table


class SavingsTable(Table):
    caption = "Savings"
    row_links = True
    filtered_title = "No line matches"
    empty_title = "Nothing was freed so far"
    empty_text = "A line is added when a removed account frees its subscription, and when that is undone."

    on = MarkupColumn("{{ value|date:'j M Y' }}", verbose_name="Day")
    candidate = MarkupColumn(
        '<a href="{{ record.candidate.get_absolute_url }}">{{ record.candidate.seat_name|outside }}</a>',
        verbose_name="Subscription",
        orderable=False,
    )
    kind = MarkupColumn("{% pill record.kind record.get_kind_display %}")
    software_model = MarkupColumn("{{ value|default:'–' }}")
    rule_name = MarkupColumn("{{ value|default:'–'|outside }}", verbose_name="Rule")
    profile_name = MarkupColumn('<span class="clamp">{{ value|outside }}</span>', verbose_name="Subscription profile")
    department = MarkupColumn("{{ value|default:'–'|outside }}")
    amount = MarkupColumn(
        "{% if value is None %}Not known{% else %}{{ value|floatformat:'2g' }} {{ record.currency }}{% endif %}",
        verbose_name="A year",
        attrs=NUMBER,
    )

    class Meta(Table.Meta):
        model = SavingsEntry
        fields = ("on", "candidate", "kind", "software_model", "rule_name", "profile_name", "department", "amount")
        order_by = "-on"
