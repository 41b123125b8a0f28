"""The table of a profile's subscriptions with the reason each has now."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from reclamation.sentences import label_verdict
from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn
from samsaas.lib.tables import Table
from subscriptions.models import Subscription
from subscriptions.tables import by_known


class ReasonTable(Table):
    caption = "Subscriptions and their reasons"
    row_links = True
    filtered_title = "No subscription has this reason now"
    empty_title = "No subscription yet"
    empty_text = "Download the subscriptions of the profile first."

    display_name = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}">{{ record.title|outside }}</a>'
        '<span class="sub">{{ record.email|breakable }}</span>',
        order_by=("display_name", "pk"),
        attrs=ROOMY,
    )
    software_model = MarkupColumn(
        "{% if record.identifier.software_model %}{{ record.identifier.software_model }}"
        "{% else %}{% pill 'unknown' 'Unrecognized' %}{% endif %}",
        order_by="identifier__software_model__edition",
    )
    verdict = MarkupColumn("", verbose_name="Reason now", orderable=False)
    user = MarkupColumn(
        "{% if record.match %}{{ record.match.person.name|outside }}{% else %}{{ None|number }}{% endif %}",
        verbose_name="User",
    )
    last_activity = MarkupColumn("{% load idle %}{{ record|last_use }}", verbose_name="Last activity")
    inactive_days = MarkupColumn(
        "{% load idle %}{{ record|idle_days }}", verbose_name="Inactive days", attrs=NUMBER, orderable=False
    )

    def render_verdict(self, record: Any) -> str:
        return label_verdict(record.verdict)

    def order_user(self, queryset: QuerySet[Subscription], is_descending: bool) -> tuple[QuerySet[Subscription], bool]:
        return by_known(queryset, "match__person__name", is_descending)

    def order_last_activity(
        self, queryset: QuerySet[Subscription], is_descending: bool
    ) -> tuple[QuerySet[Subscription], bool]:
        return by_known(queryset, "last_activity__at", is_descending)

    class Meta(Table.Meta):
        model = Subscription
        fields = ("display_name", "software_model", "verdict", "user", "last_activity", "inactive_days")
        sequence = fields
        order_by = "display_name"
