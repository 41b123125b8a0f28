"""The tables of the license position."""

from __future__ import annotations

from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn, NumberColumn
from samsaas.lib.tables import Table
from subscriptions.models import GroupResult, Person, ProductResult, SeatResult

LOAD = "{% load position %}"


def figure(anchor: str) -> str:
    """A cell whose number leads to where it comes from, on the page of its row."""
    return '<a class="quiet" href="{{ record.get_absolute_url }}#' + anchor + '">{{ value|number }}</a>'


def money(anchor: str) -> str:
    """The same with amounts."""
    return (
        LOAD
        + '<a class="quiet" href="{{ record.get_absolute_url }}#'
        + anchor
        + '">{% amounts value record.unpriced %}</a>'
    )


class ProductResultTable(Table):
    caption = "Products"
    row_links = True
    filtered_title = "No product matches"
    empty_title = "No product"
    empty_text = "No subscription of this publisher counts, and no entitlement is in force."

    product = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ value|visible }}</a>', attrs=ROOMY)
    status = MarkupColumn(LOAD + "{{ record|status_pill }}")
    owned = MarkupColumn(
        LOAD + '<a class="quiet" href="{{ record.get_absolute_url }}#models">{{ record|owned }}</a>',
        attrs=NUMBER,
        order_by=("unlimited", "owned"),
    )
    used = MarkupColumn(figure("models"), attrs=NUMBER)
    needed = MarkupColumn(figure("models"), attrs=NUMBER)
    true_up = MarkupColumn(money("models"), attrs=NUMBER, orderable=False, verbose_name="True-up")
    over_licensed = MarkupColumn(
        LOAD + '<a class="quiet" href="{{ record.get_absolute_url }}#models">{% over_licensed record %}</a>',
        attrs=NUMBER,
        orderable=False,
        verbose_name="Over-licensed",
    )
    annual_spend = MarkupColumn(
        money("models").replace(" record.unpriced", ""), attrs=NUMBER, orderable=False, verbose_name="Spend a year"
    )

    class Meta(Table.Meta):
        model = ProductResult
        fields = ("product", "status", "owned", "used", "needed", "true_up", "over_licensed", "annual_spend")
        sequence = fields
        order_by = "product"


class SeatResultTable(Table):
    caption = "Subscriptions"
    row_links = True
    filtered_title = "No subscription matches"
    empty_title = "No subscription"
    empty_text = "None of this license metric counted."

    seat_name = MarkupColumn(
        '{% if record.subscription %}<a href="{{ record.subscription.get_absolute_url }}">{{ value|outside }}</a>'
        "{% else %}{{ value|outside }}{% endif %}",
        verbose_name="Subscription",
        attrs=ROOMY,
        orderable=False,
    )
    profile_name = MarkupColumn("{{ value|outside }}", verbose_name="Profile", orderable=False)
    person_name = MarkupColumn(
        '{% if record.person %}<a href="{{ record.person.get_absolute_url }}">{{ value|outside }}</a>'
        '{% if record.is_leaver %} {% pill "warning" "Left the company" %}{% endif %}'
        '{% elif value %}{{ value|outside }}{% else %}<span class="muted">No user</span>{% endif %}',
        verbose_name="User",
        attrs=ROOMY,
        orderable=False,
    )
    covered_by = MarkupColumn(
        LOAD + "{{ record|covered_pill }}", verbose_name="Covered", order_by=("covered_by", "rank")
    )
    why = MarkupColumn(LOAD + "{% seat_why record %}", verbose_name="Why", orderable=False, attrs=ROOMY)

    class Meta(Table.Meta):
        model = SeatResult
        fields = ("seat_name", "profile_name", "person_name", "covered_by", "why")
        sequence = fields
        order_by = "covered_by"


class GroupResultTable(Table):
    caption = "Groups"
    empty_title = "No group"
    empty_text = "Nothing of this license metric is in use."

    value = MarkupColumn(
        LOAD + "{{ record|group_name }}", verbose_name="Group", order_by=("missing", "value"), attrs=ROOMY
    )
    subvalue = MarkupColumn(
        LOAD + "{{ record|subgroup_name }}", verbose_name="Subgroup", order_by=("submissing", "subvalue"), attrs=ROOMY
    )
    in_use = MarkupColumn(LOAD + "{% group_figure record 'in_use' %}", attrs=NUMBER)
    unlicensed = MarkupColumn(LOAD + "{% group_figure record 'unlicensed' %}", attrs=NUMBER, verbose_name="Not covered")
    cost_share = MarkupColumn(
        LOAD + "{{ value|money_in:record.metric_result.currency }}", attrs=NUMBER, verbose_name="Share of cost a year"
    )

    class Meta(Table.Meta):
        model = GroupResult
        fields = ("value", "subvalue", "in_use", "unlicensed", "cost_share")
        sequence = fields
        order_by = "-in_use"


class HeldRightTable(Table):
    """People with allocated rights of one software model."""

    caption = "People with allocated rights"
    row_links = True
    empty_title = "Nobody has allocated rights"
    empty_text = "Rights are allocated on the page of an entitlement, or by a remedy."

    name = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}">{{ value|outside }}</a>'
        '{% if record.has_gone %} {% pill "warning" "Left the company" %}{% endif %}',
        verbose_name="Person",
        attrs=ROOMY,
    )
    department = MarkupColumn("{{ value|outside }}")
    rights = NumberColumn(verbose_name="Allocated")
    seats = NumberColumn(verbose_name="Subscriptions")
    idle = NumberColumn(verbose_name="Not in use")

    class Meta(Table.Meta):
        model = Person
        fields = ("name", "department", "rights", "seats", "idle")
        sequence = fields
        order_by = "name"
