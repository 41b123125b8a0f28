"""The tables of rules, of what they observed, and of exemptions."""

from __future__ import annotations

from typing import Any

from reclamation.models import Exemption, Observation, ReclamationRule
from reclamation.reasons import Reason
from reclamation.rules import figures
from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn
from samsaas.lib.selection_bar import TickColumn
from samsaas.lib.tables import Table


class RuleTable(Table):
    caption = "Reclamation rules"
    row_links = True
    filtered_title = "No reclamation rule matches"
    empty_title = "No reclamation rule yet"
    empty_text = (
        "samsaas makes one for every software model when it looks for candidates, daily. Software models "
        "come with the first download: connect an integration profile, or press Download subscriptions on its page."
    )

    software_model = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}">{{ record.software_model }}</a>'
        '<span class="sub">{{ record.name|outside }}</span>',
        attrs=ROOMY,
        order_by=("software_model__publisher", "software_model__product", "software_model__edition"),
    )
    mode = MarkupColumn(
        "{% if record.active %}{{ record.get_mode_display }}{% else %}{% pill 'no' 'Off' %}{% endif %}"
        '{% if record.is_observing %}<span class="sub">observes until {{ record.observe_until|when }}</span>{% endif %}'
    )
    reviewed_at = MarkupColumn(
        "{% if not value %}{% pill 'warning' 'Unreviewed' %}"
        "{% elif record.changed_since_review %}{% pill 'warning' 'Changed since' %}"
        '<span class="sub">reviewed {{ value|day }}</span>'
        "{% else %}{% pill 'yes' 'Reviewed' %}<span class=\"sub\">{{ value|day }}</span>{% endif %}",
        verbose_name="Review",
    )
    threshold_days = MarkupColumn("{{ value }} days", verbose_name="Threshold", attrs=NUMBER)
    notice_days = MarkupColumn(
        "{% if record.notify_user %}{{ value }} day{{ value|pluralize }}{% else %}not asked{% endif %}",
        verbose_name="Notice",
        attrs=NUMBER,
    )
    open_candidates = MarkupColumn(
        "<a href=\"{% url 'candidate_list' %}?rule={{ record.pk }}\">{{ value|number }}</a>",
        verbose_name="Open candidates",
        attrs=NUMBER,
    )
    savings = MarkupColumn(
        "{% load reclamation_rules %}{% with money=record|rule_savings %}{% if money %}{{ money }}{% else %}"
        '<a href="{{ record.software_model.get_absolute_url }}">cost not known</a>{% endif %}{% endwith %}',
        verbose_name="Potential savings a year",
        attrs=NUMBER,
        orderable=False,
    )
    regret = MarkupColumn("", verbose_name="Measured regret", orderable=False)

    def render_regret(self, record: Any) -> str:
        return str(figures.regret_of(record))

    class Meta(Table.Meta):
        model = ReclamationRule
        fields = (
            *("software_model", "mode", "threshold_days", "notice_days", "reviewed_at", "open_candidates"),
            *("savings", "regret"),
        )
        sequence = fields
        order_by = "software_model"


class ObservationTable(Table):
    caption = "What the rule would have proposed"
    row_links = True
    filtered_title = "No observation matches"
    empty_title = "Nothing was observed"
    empty_text = "A rule that observes notes at every find what it would propose. This one has noted nothing so far."

    subscription = MarkupColumn(
        '<a href="{{ record.subscription.get_absolute_url }}">{{ record.subscription.title|outside }}</a>'
        '<span class="sub">{{ record.subscription.email|breakable }}</span>',
        attrs=ROOMY,
        order_by=("subscription__display_name",),
    )
    profile = MarkupColumn(
        '<span class="clamp">{{ record.subscription.profile.display_name|outside }}</span>',
        verbose_name="Subscription profile",
        order_by=("subscription__profile__display_name",),
    )
    reason = MarkupColumn("")
    version = MarkupColumn(
        "{{ record.rule_version.version|default:'–' }}", attrs=NUMBER, order_by=("rule_version__version",)
    )
    first_on = MarkupColumn("{{ value|date:'j M Y' }}", verbose_name="First on")
    last_on = MarkupColumn("{{ value|date:'j M Y' }}", verbose_name="Last on")
    times = MarkupColumn("{{ value|number }}", verbose_name="Days", attrs=NUMBER)

    def render_reason(self, record: Observation) -> str:
        return Reason(record.reason).label

    class Meta(Table.Meta):
        model = Observation
        fields = ("subscription", "profile", "reason", "version", "first_on", "last_on", "times")
        sequence = fields
        order_by = "-last_on"


class ExemptionTable(Table):
    caption = "Exemptions"
    filtered_title = "No exemption matches"
    empty_title = "Nobody is exempt"
    empty_text = "No rule proposes an exempt person or subscription. Exempt one here, or import a list."

    tick = TickColumn()
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
        fields = ("tick", "target", "reason", "until", "at", "end")
        sequence = fields
        order_by = "-at"
