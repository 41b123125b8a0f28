"""The table of renewals."""

from __future__ import annotations

from typing import Any

from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn, one_each_line
from samsaas.lib.tables import Table
from subscriptions.renewals import words
from subscriptions.renewals.rows import Totals

LOAD = "{% load renewals entitlements %}"
NAME = (
    "<a href=\"{% url 'renewal_detail' record.entitlement.pk %}\">{{ record.entitlement.number }}</a>"
    '<span class="sub">{{ record.software_model|visible }}</span>'
)
DAY = "{{ record.reduce_by|date:'j M Y' }}<span class=\"sub\">{{ record.renewal|days_left }}</span>"
RIGHTS = '<a class="quiet" href="{{ record.entitlement.get_absolute_url }}">{{ record.entitlement|rights }}</a>'
RECOMMENDED = (
    '{% if value is None %}<span class="sub">no advice</span>{% else %}'
    '<a class="quiet" href="{% url \'renewal_detail\' record.entitlement.pk %}#how">{{ value|number }}</a>{% endif %}'
)
STATE = (
    "{{ record|urgency_pill }}{% if record.entitlement.reduction_asked_on %}"
    '<span class="sub">to {{ record.entitlement.reduction_asked_to|number }}, on '
    "{{ record.entitlement.reduction_asked_on|date:'j M Y' }}</span>{% endif %}"
)
ONE_LINE = {"td": {"class": "narrow"}}


class RenewalTable(Table):
    """Rows of `subscriptions.renewals.rows`, which are computed and not read from a table."""

    caption = "Renewals"
    row_links = True
    filtered_title = "No renewal matches"
    empty_title = "Nothing is to be renewed within 90 days"
    empty_text = "An entitlement with an end date is here before its end, once its software model is in the position."

    name = MarkupColumn(
        NAME,
        verbose_name="Entitlement",
        order_by="entitlement__pk",
        attrs=ROOMY,
        footer=lambda table: words.name_sum(table.totals),
    )
    urgency = MarkupColumn(LOAD + STATE, verbose_name="State", orderable=False)
    reduce_by = MarkupColumn(LOAD + DAY, attrs=ONE_LINE)
    renewed_on = MarkupColumn(
        "{{ record.renewal.renewal|date:'j M Y' }}", verbose_name="Renewal", order_by="renewal__renewal", attrs=ONE_LINE
    )
    rights = MarkupColumn(
        LOAD + RIGHTS,
        verbose_name="Rights",
        attrs=NUMBER,
        order_by="entitlement__purchased_rights",
        footer=lambda table: f"{table.totals.rights:,}",
    )
    recommended = MarkupColumn(
        RECOMMENDED,
        accessor="renewal__recommended",
        attrs=NUMBER,
        orderable=False,
        footer=lambda table: f"{table.totals.recommended:,}",
    )
    change = MarkupColumn(
        LOAD + "{{ value|rights_change }}",
        accessor="renewal__change",
        attrs=NUMBER,
        orderable=False,
        footer=lambda table: words.write_change(table.totals.change),
    )
    money = MarkupColumn(
        LOAD + "{{ record.renewal|money_change }}",
        verbose_name="A year",
        attrs=NUMBER,
        orderable=False,
        footer=lambda table: one_each_line(words.list_sums(table.totals)),
    )

    def __init__(self, *args: Any, totals: Totals, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.totals = totals

    class Meta(Table.Meta):
        fields = ("name", "urgency", "reduce_by", "renewed_on", "rights", "recommended", "change", "money")
        sequence = fields
