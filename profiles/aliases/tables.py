"""The table of connection & credential aliases."""

from __future__ import annotations

from profiles.models import ConnectionAlias
from samsaas.lib.columns import ROOMY, MarkupColumn
from samsaas.lib.tables import Table


class AliasTable(Table):
    caption = "Connection & credential aliases"
    row_links = True

    name = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ record.name|breakable }}</a>', attrs=ROOMY)
    vendor = MarkupColumn("{{ record.get_vendor_display }}")
    parent = MarkupColumn(
        '{% if record.parent %}<a href="{{ record.parent.get_absolute_url }}">{{ record.parent }}</a>'
        "{% else %}–{% endif %}",
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
