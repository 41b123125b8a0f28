"""Tables of profiles, aliases and job runs."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Sum

from profiles.models import ConnectionAlias, IntegrationProfile, JobRun
from samsaas.lib.tables import NUMBER, ROOMY, MarkupColumn, NumberColumn, Table

NARROW = {"td": {"class": "narrow"}}


def total(column: str) -> Callable[[Table], str]:
    """The footer of a column: its sum over all pages of the list as it is filtered."""
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
    vendor = MarkupColumn("{{ record.vendor_info.profile_type }}", verbose_name="Profile type")
    team_name = MarkupColumn("{{ record.team_name|outside }}", verbose_name="Team")
    status = MarkupColumn(
        "{% pill record.status record.get_status_display %}"
        "{% if record.attention %} {% pill record.attention record.get_attention_display %}{% endif %}"
        '{% for notice in record.notices %}<span class="sub">{{ notice.title }}</span>{% endfor %}',
        order_by=("-attention", "status"),
    )
    seats_used_reported = MarkupColumn(
        "{{ value|number }}", verbose_name="Licences used (vendor)", attrs=NUMBER, footer=total("seats_used_reported")
    )
    licences_reported = MarkupColumn(
        "{{ value|number }}", verbose_name="Licences bought (vendor)", attrs=NUMBER, footer=total("licences_reported")
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
            "licences_reported",
        )
        order_by = "display_name"


class AliasTable(Table):
    caption = "Connection & credential aliases"
    row_links = True

    name = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ record.name|breakable }}</a>', attrs=ROOMY)
    vendor = MarkupColumn("{{ record.get_vendor_display }}")
    parent = MarkupColumn(
        '{% if record.parent %}<a href="{{ record.parent.get_absolute_url }}">{{ record.parent }}</a>'
        "{% else %}It is a parent itself{% endif %}",
        verbose_name="Parent alias",
    )
    profile = MarkupColumn(
        '{% if record.profile.pk %}<a href="{{ record.profile.get_absolute_url }}">'
        "{{ record.profile.display_name|outside }}</a>"
        "{% else %}No profile yet{% endif %}",
        verbose_name="Used by profile",
        order_by="profile__display_name",
    )

    class Meta(Table.Meta):
        model = ConnectionAlias
        fields = ("name", "vendor", "parent", "profile")


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
