"""The list of events, of webhooks, and of what was sent to one."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet

from samsaas.events import hook_body
from samsaas.events.kinds import KINDS
from samsaas.lib import search, tables
from samsaas.lib.columns import MarkupColumn, NameColumn, NumberColumn
from samsaas.models import Notification, Webhook, WebhookCall


class EventTable(tables.Table):
    caption = "Notifications"
    row_links = True
    empty_title = "Nothing has happened yet"
    empty_text = "Failed runs, removals that need a person, and changes of the license position will be listed here."

    title = MarkupColumn(
        '<a href="{{ record.path }}">{% if record.is_unread %}<strong>{{ value|outside }}</strong>'
        '<span class="visually-hidden"> (unread)</span>{% else %}{{ value|outside }}{% endif %}</a>'
        '{% if record.text %}<span class="sub">{{ record.text|outside|truncatechars:160 }}</span>{% endif %}',
        verbose_name="What",
        orderable=False,
    )
    kind = MarkupColumn("{{ record.kind_label }}", orderable=False)
    at = MarkupColumn("{{ value|when }}", verbose_name="When")

    class Meta(tables.Table.Meta):
        model = Notification
        fields = ("title", "kind", "at")
        order_by = "-at"


class EventFilter(tables.ListFilter):
    q = tables.search(placeholder="What happened", method="find")
    kind = django_filters.ChoiceFilter(choices=[(one.key, one.label) for one in KINDS.values()], empty_label="Any")

    class Meta:
        model = Notification
        fields = ("q", "kind")

    def find(self, queryset: QuerySet[Notification], name: str, value: str) -> QuerySet[Notification]:
        return search.find(queryset, value, "title", "text")


class WebhookTable(tables.Table):
    caption = "Webhooks"
    row_links = True
    empty_title = "No webhook yet"
    empty_text = "A webhook tells a chat or a program of yours what happened."

    name = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ value|outside }}</a>')
    style = MarkupColumn("{{ record.get_style_display }}")
    host = NameColumn()
    active = MarkupColumn(
        "{% if value %}{% pill 'yes' 'On' %}{% elif record.stopped_at %}{% pill 'failed' 'Switched off by samsaas' %}"
        "{% else %}{% pill 'no' 'Off' %}{% endif %}"
    )

    class Meta(tables.Table.Meta):
        model = Webhook
        fields = ("name", "style", "host", "active")
        order_by = "name"


class CallTable(tables.Table):
    caption = "What was sent"
    empty_title = "Nothing was sent yet"

    about = MarkupColumn(
        '{% if record.event %}<a href="{{ record.event.path }}">{{ record.event.title|outside }}</a>'
        "{% else %}Test{% endif %}",
        orderable=False,
    )
    state = MarkupColumn("{% pill value record.get_state_display %}")
    tries = NumberColumn()
    answer = MarkupColumn('<span class="clamp">{{ value|outside }}</span>', orderable=False)
    queued_at = MarkupColumn("{{ value|when }}", verbose_name="When")

    class Meta(tables.Table.Meta):
        model = WebhookCall
        fields = ("about", "state", "tries", "answer", "queued_at")
        order_by = "-queued_at"


def describe_events(events: Any, read_until: int) -> None:
    """Give each event of a page its label, and whether it is unread."""
    for one in events:
        one.kind_label, one.is_unread = hook_body.label_of(one.kind), one.pk > read_until
