"""The tables of reconciliations, and of what one found."""

from __future__ import annotations

from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn, NumberColumn
from samsaas.lib.tables import Table
from subscriptions.models import ModelResult, ProductResult, ReconciliationRun, Subscription

LOAD = "{% load position %}"
NARROW = {"td": {"class": "narrow"}}


class ReconciliationTable(Table):
    caption = "Reconciliations"
    row_links = True
    filtered_title = "No reconciliation matches"
    empty_title = "No reconciliation yet"
    empty_text = "A reconciliation compares what is in use with what was purchased. It runs daily, and on demand."

    number = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ value }}</a>', order_by="pk")
    state = MarkupColumn(LOAD + "{{ record|run_state }}")
    as_of = MarkupColumn(
        LOAD + "{{ record|as_of }}", verbose_name="As of", order_by=("question_date", "pk"), attrs=NARROW
    )
    scope = MarkupColumn(
        LOAD + "{{ record|run_scope }}"
        '{% if record.group != "none" %}<span class="sub">by {{ record|run_group }}</span>{% endif %}',
        orderable=False,
        attrs=ROOMY,
    )
    started_at = MarkupColumn(
        LOAD + '{{ value|when }}<span class="sub">{{ record|asked_by }}</span>', verbose_name="Started"
    )
    took = MarkupColumn(LOAD + "{{ record|run_duration }}", verbose_name="Duration", order_by="took")
    counted = MarkupColumn("{{ record.figures.counted|number }}", verbose_name="Counted", attrs=NUMBER, orderable=False)
    out = MarkupColumn(
        "{{ record.figures.totals.out_of_compliance|number }}",
        verbose_name="Out of compliance",
        attrs=NUMBER,
        orderable=False,
    )

    class Meta(Table.Meta):
        model = ReconciliationRun
        fields = ("number", "state", "as_of", "scope", "started_at", "took", "counted", "out")
        sequence = fields
        order_by = "-number"


class FoundProductTable(Table):
    """The products of one run."""

    caption = "Products"
    row_links = True
    empty_title = "No product is in this position"
    empty_text = "No subscription counts, and no entitlement is in force."

    product = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}">{{ value|visible }}</a>'
        '<span class="sub">{{ record.publisher|visible }}</span>',
        order_by=("product", "publisher"),
        attrs=ROOMY,
    )
    status = MarkupColumn(LOAD + "{{ record|status_pill }}")
    owned = MarkupColumn(LOAD + "{{ record|owned }}", attrs=NUMBER, order_by=("unlimited", "owned"))
    in_use = NumberColumn()
    used = NumberColumn()
    needed = NumberColumn()
    unlicensed = NumberColumn(verbose_name="Not covered")
    true_up = MarkupColumn(
        LOAD + "{% amounts value record.unpriced %}", attrs=NUMBER, orderable=False, verbose_name="True-up"
    )

    class Meta(Table.Meta):
        model = ProductResult
        fields = ("product", "status", "owned", "in_use", "used", "needed", "unlicensed", "true_up")
        sequence = fields
        order_by = "product"


class FoundModelTable(Table):
    """The software model of a run that is about one."""

    caption = "Software models"
    row_links = True
    empty_title = "The software model is in no position"
    empty_text = "No subscription of it counts, and no entitlement is in force."

    model = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}">{{ record|visible }}</a>', attrs=ROOMY, orderable=False
    )

    class Meta(Table.Meta):
        model = ModelResult
        fields = ("model",)
        sequence = fields
        order_by = "pk"


class PastSeatTable(Table):
    """Subscriptions as they were at the end of a day, with what has become of them."""

    caption = "Subscriptions"
    row_links = True
    empty_title = "No subscription"
    empty_text = "None was so at the end of that day."

    display_name = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}">{{ record.title|outside }}</a>',
        verbose_name="Subscription",
        order_by=("display_name", "pk"),
        attrs=ROOMY,
    )
    email = MarkupColumn("{{ value|breakable }}", verbose_name="User principal name", orderable=False)
    profile = MarkupColumn(
        '<span class="clamp">{{ record.profile.display_name|outside }}</span>',
        verbose_name="Subscription profile",
        orderable=False,
    )
    now = MarkupColumn(
        "{% if record.ended_at %}{% pill 'ended' 'Ended' %}{% else %}{% pill record.status record.get_status_display %}"
        "{% if record.excluded %} {% pill 'canceled' 'Excluded' %}{% endif %}{% endif %}",
        verbose_name="Now",
        orderable=False,
    )

    class Meta(Table.Meta):
        model = Subscription
        fields = ("display_name", "email", "profile", "now")
        sequence = fields
        order_by = "display_name"
