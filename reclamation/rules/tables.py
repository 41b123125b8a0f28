"""The table of exemptions."""

from __future__ import annotations

from reclamation.models import Exemption
from samsaas.lib.tables import ROOMY, MarkupColumn, Table


class ExemptionTable(Table):
    caption = "Exemptions"
    filtered_title = "No exemption matches"
    empty_title = "Nobody is exempt"
    empty_text = "No rule proposes an exempt person or subscription. Exempt one here, or import a list."

    target = MarkupColumn(
        "{% if record.person %}"
        '<a href="{{ record.person.get_absolute_url }}">{{ record.person.name|outside }}</a>'
        '<span class="sub">{{ record.person.key|outside }}, every subscription</span>'
        "{% else %}"
        '<a href="{{ record.subscription.get_absolute_url }}">{{ record.subscription.title|outside }}</a>'
        '<span class="sub">this subscription in {{ record.subscription.profile.display_name|outside }}</span>'
        "{% endif %}",
        verbose_name="Exempt",
        attrs=ROOMY,
        orderable=False,
    )
    reason = MarkupColumn("{{ value|outside }}", attrs=ROOMY)
    until = MarkupColumn("{% if value %}{{ value|date:'j M Y' }}{% else %}Without end{% endif %}")
    at = MarkupColumn(
        '{{ value|day }}<span class="sub">by {{ record.by.get_username|default:"a deleted account" }}</span>',
        verbose_name="Since",
    )
    end = MarkupColumn(
        "{% if record.ended_at %}Ended {{ record.ended_at|day }}"
        "{% else %}<a href=\"{% url 'exemption_end' record.pk %}\">End</a>{% endif %}",
        verbose_name="End",
        orderable=False,
    )

    class Meta(Table.Meta):
        model = Exemption
        fields = ("target", "reason", "until", "at", "end")
        sequence = fields
        order_by = "-at"
