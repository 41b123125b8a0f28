"""The list of limits."""

from __future__ import annotations

from profiles.models import LimitedSight
from samsaas.lib import tables
from samsaas.lib.columns import ROOMY, MarkupColumn


class SightTable(tables.Table):
    caption = "Limited sight"
    row_links = True
    empty_title = "Nobody is limited"
    empty_text = "Everybody with a role sees every profile. A limit lets some accounts see some profiles only."

    name = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ value|outside }}</a>', attrs=ROOMY)
    profiles = MarkupColumn(
        "{% for one in record.profiles.all %}<div>{{ one.display_name|outside }}</div>"
        '{% empty %}{% pill "warning" "No profile" %}{% endfor %}',
        verbose_name="May see",
        orderable=False,
    )
    accounts = MarkupColumn(
        "{% for one in record.accounts.all %}<div>{{ one.get_username|outside }}</div>{% empty %}–{% endfor %}",
        verbose_name="Accounts",
        orderable=False,
    )

    class Meta(tables.Table.Meta):
        model = LimitedSight
        fields = ("name", "profiles", "accounts")
        order_by = "name"
