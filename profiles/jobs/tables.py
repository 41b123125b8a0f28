"""The table of job results."""

from __future__ import annotations

from profiles.models import JobRun
from samsaas.lib.columns import NUMBER, MarkupColumn, NumberColumn
from samsaas.lib.tables import Table

NARROW = {"td": {"class": "narrow"}}


class RunTable(Table):
    caption = "Job results"
    row_links = True
    empty_title = "No job has run yet"
    empty_text = "The first one starts by itself when an integration profile is connected."

    id = MarkupColumn('<a href="{{ record.get_absolute_url }}">#{{ record.pk }}</a>', verbose_name="Number")
    process = MarkupColumn('{{ record.get_process_display }}<span class="sub">{{ record.get_trigger_display }}</span>')
    profile_name = MarkupColumn("{{ record.profile_name|outside }}", verbose_name="Profile")
    state = MarkupColumn("{% pill record.state record.get_state_display %}")
    items = MarkupColumn(
        '{{ record.items|number }}<span class="sub">{{ record.unit|lower }}</span>', verbose_name="Items", attrs=NUMBER
    )
    created_at = MarkupColumn("{{ record.created_at|when }}", verbose_name="Requested")
    lasted = MarkupColumn("{{ record.lasted|duration }}", verbose_name="Duration", order_by="took", attrs=NARROW)
    retries = NumberColumn()
    throttled_seconds = MarkupColumn(
        "{% if record.throttled_seconds %}{{ record.throttled_seconds|duration }}{% else %}none{% endif %}",
        verbose_name="Throttled",
        attrs=NARROW,
    )

    class Meta(Table.Meta):
        model = JobRun
        fields = (
            "id",
            "process",
            "profile_name",
            "state",
            "items",
            "created_at",
            "lasted",
            "retries",
            "throttled_seconds",
        )
        order_by = "-id"
