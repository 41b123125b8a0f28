"""The tables of back-tests, and of what one of them found."""

from __future__ import annotations

from reclamation.back_tests.regret_rate import RegretRate
from reclamation.models import BackTest, BackTestFinding
from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn
from samsaas.lib.markup import pill
from samsaas.lib.tables import Table

Outcome = BackTestFinding.Outcome
PILLS = {
    Outcome.BACK: "warning",
    Outcome.AWAY: "yes",
    Outcome.ENDED: "closed",
    Outcome.GAP: "unknown",
    Outcome.NOT_SETTLED: "unknown",
}


class BackTestTable(Table):
    caption = "Back-tests"
    row_links = True
    empty_title = "No back-test yet"
    empty_text = "A back-test shows what the rule would have proposed in the past, and who of those came back."

    at = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ value|when }}</a>', verbose_name="Made")
    threshold = MarkupColumn("{{ record.settings.threshold_days }} days", orderable=False)
    days = MarkupColumn(
        '{{ record.from_on|date:"j M Y" }} to {{ record.to_on|date:"j M Y" }}', orderable=False, attrs=ROOMY
    )
    horizon_days = MarkupColumn("{{ value }} days", verbose_name="Horizon")
    proposed = MarkupColumn("{{ record.figures.proposed|number }}", orderable=False, attrs=NUMBER)
    regret = MarkupColumn("", orderable=False, attrs=NUMBER)
    by = MarkupColumn("{% if value %}{{ value.get_username|outside }}{% else %}–{% endif %}", orderable=False)

    class Meta(Table.Meta):
        model = BackTest
        fields = ("at", "threshold", "days", "horizon_days", "proposed", "regret", "by")
        order_by = "-at"

    def render_regret(self, record: BackTest) -> str:
        if not record.is_done:
            return "At work" if record.is_at_work else "Not finished"
        return rate_of(record).percent


def rate_of(test: BackTest) -> RegretRate:
    """The regret that a back-test found. Call it for one that is done."""
    return RegretRate(test.figures["back"], test.figures["proposed"] - test.figures["censored"])


class FindingTable(Table):
    caption = "Subscriptions that would have been proposed"
    row_links = True
    filtered_title = "No subscription matches"
    empty_title = "Nothing would have been proposed"
    empty_text = "On none of the days the settings proposed a subscription of which enough is known."

    subscription = MarkupColumn(
        '<a href="{{ record.subscription.get_absolute_url }}">{{ record.subscription.title|outside }}</a>'
        '<span class="sub">{{ record.subscription.profile.display_name|outside }}</span>',
        order_by=("subscription__display_name", "pk"),
        attrs=ROOMY,
    )
    on = MarkupColumn("{{ value|date:'j M Y' }}", verbose_name="Proposed on")
    reason = MarkupColumn("{{ record.get_reason_display }}")
    last_use_on = MarkupColumn(
        "{% if value %}{{ value|date:'j M Y' }}{% else %}None known{% endif %}", verbose_name="Used before"
    )
    outcome = MarkupColumn("", verbose_name="What became of it")
    back_on = MarkupColumn("{% if value %}{{ value|date:'j M Y' }}{% else %}–{% endif %}", verbose_name="Used again")

    class Meta(Table.Meta):
        model = BackTestFinding
        fields = ("subscription", "on", "reason", "last_use_on", "outcome", "back_on")
        order_by = "on"

    def render_outcome(self, record: BackTestFinding) -> str:
        return pill(PILLS[Outcome(record.outcome)], record.get_outcome_display())
