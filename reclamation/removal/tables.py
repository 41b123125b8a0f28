"""The tables of removals and of their batches."""

from __future__ import annotations

from reclamation.models import RemovalAttempt, RemovalBatch
from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn
from samsaas.lib.tables import Table


class AttemptTable(Table):
    caption = "Removals"
    row_links = True
    filtered_title = "No removal matches"
    empty_title = "No removal is under way"
    empty_text = "Select candidates in the list of removal candidates and press Reclaim."

    candidate = MarkupColumn(
        '<a href="{{ record.candidate.get_absolute_url }}">{{ record.candidate.seat_name|outside }}</a>'
        '<span class="sub">{{ record.email|breakable }}</span>',
        verbose_name="Account",
        attrs=ROOMY,
        orderable=False,
    )
    profile_name = MarkupColumn(
        '<span class="clamp">{{ record.candidate.profile_name|outside }}</span>',
        verbose_name="Subscription profile",
        orderable=False,
    )
    state = MarkupColumn("{% pill record.state record.get_state_display %}{% if record.dry_run %} Dry run{% endif %}")
    wait = MarkupColumn(
        "{% load removals %}{{ record|waits_for }}", verbose_name="What comes next", orderable=False, attrs=ROOMY
    )
    withdrawn_at = MarkupColumn("{{ value|when }}", verbose_name="Removed")
    move_after = MarkupColumn("{% load removals %}{{ record|days_left }}", verbose_name="Days left", attrs=NUMBER)

    class Meta(Table.Meta):
        model = RemovalAttempt
        fields = ("candidate", "profile_name", "state", "wait", "withdrawn_at", "move_after")
        order_by = "-id"


class BatchTable(Table):
    caption = "Batches"
    row_links = True
    filtered_title = "No batch matches"
    empty_title = "Nothing was reclaimed so far"
    empty_text = "A batch is what one press of Reclaim asks for, or one find of rules in mode automatic."

    id = MarkupColumn("<a href=\"{% url 'batch_detail' record.pk %}\">{{ record }}</a>", verbose_name="Batch")
    profile_name = MarkupColumn('<span class="clamp">{{ value|outside }}</span>', verbose_name="Subscription profile")
    state = MarkupColumn("{% pill record.state record.get_state_display %}{% if record.dry_run %} Dry run{% endif %}")
    size = MarkupColumn("{{ value|number }}", verbose_name="Subscriptions", attrs=NUMBER)
    requested_at = MarkupColumn(
        '{{ value|when }}<span class="sub">by {{ record.requested_by.get_username|default:"samsaas" }}</span>',
        verbose_name="Requested",
    )
    decided_at = MarkupColumn(
        '{{ value|when }}<span class="sub">{{ record.decided_by.get_username|default:"" }}</span>',
        verbose_name="Decided",
    )

    class Meta(Table.Meta):
        model = RemovalBatch
        fields = ("id", "profile_name", "state", "size", "requested_at", "decided_at")
        order_by = "-id"
