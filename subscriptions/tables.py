"""The table of software subscriptions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from samsaas.lib.selection_bar import TickColumn
from samsaas.lib.tables import NUMBER, ROOMY, MarkupColumn, NameColumn, Table
from subscriptions.activity import last_used
from subscriptions.models import LastActivity, Subscription


def by_known(queryset: Any, column: str, is_descending: bool) -> tuple[Any, bool]:
    """Sort by a column that not every seat has. Seats without it come last in both directions, on every database."""
    key = F(column).desc(nulls_last=True) if is_descending else F(column).asc(nulls_last=True)
    return queryset.order_by(key, "pk"), True


# What an export of seats has of the person who uses one.
OF_THE_PERSON = (
    ("Department", "match__person__department"),
    ("Cost center", "match__person__cost_center"),
    ("Country", "match__person__country"),
)


class SubscriptionTable(Table):
    caption = "Software subscriptions"
    in_files = OF_THE_PERSON
    row_links = True
    hidden_at_first = (
        *("assigned_at", "identifier", "external_id", "employee_id"),
        *("department", "cost_center", "country", "first_seen_at"),
    )
    indexed = ("display_name", "email")
    filtered_title = "No subscription matches"
    empty_title = "No subscription yet"
    empty_text = "Open an integration profile, connect it, and download the subscriptions of its team."

    tick = TickColumn()
    display_name = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}">{{ record.title|outside }}</a>'
        "{% if record.is_full_admin %} {% pill 'connected' 'Full admin' %}"
        "{% elif record.is_admin %} {% pill 'connected' 'Admin' %}{% endif %}",
        order_by=("display_name", "pk"),
        attrs=ROOMY,
    )
    email = MarkupColumn("{{ value|breakable }}", verbose_name="User principal name")
    software_model = MarkupColumn(
        '{% with model=record.identifier.software_model %}{% if model %}<span title="{{ model }}">{{ model }}</span>'
        "{% else %}{% pill 'unknown' 'Unrecognized' %}{% endif %}{% endwith %}",
        order_by="identifier__software_model__edition",
    )
    profile = MarkupColumn(
        '<span class="clamp" title="{{ record.profile.display_name|visible }}">'
        "{{ record.profile.display_name|outside }}</span>",
        verbose_name="Subscription profile",
    )
    status = MarkupColumn(
        "{% if record.ended_at %}{% pill 'ended' 'Ended' %}"
        "{% else %}{% pill record.status record.get_status_display %}"
        "{% if record.excluded %} {% pill 'canceled' 'Excluded' %}{% endif %}{% endif %}"
    )
    consumes_license = MarkupColumn(
        "{% if record.consumes_license and not record.ended_at and not record.excluded %}{% pill 'yes' 'Yes' %}"
        "{% else %}{% pill 'no' 'No' %}{% endif %}",
        verbose_name="License",
    )
    user = MarkupColumn(
        "{% load idle %}{% if record.match %}{% with user=record.match.person %}"
        "{% if user.has_left %}{% pill 'removed' 'Left' %} {% endif %}"
        '<a class="quiet" href="{{ user.get_absolute_url }}"'
        '{% if record|has_name_of_user %} title="{{ user.name|visible }}">same</a>'
        "{% else %}>{{ user.name|outside }}</a>{% endif %}{% endwith %}{% else %}{{ None|number }}{% endif %}",
        verbose_name="User",
    )
    last_activity = MarkupColumn(
        "{% load idle %}{{ record|last_use }}",
        verbose_name="Last activity",
    )
    inactive_days = MarkupColumn(
        '{% load idle %}<span title="{{ record|idle_hint }}">{{ record|idle_days }}</span>'
        '{% if record.profile.file_events is False and not record.ended_at %}<span class="sub">no file events</span>'
        "{% endif %}",
        verbose_name="Inactive days",
        attrs=NUMBER,
    )

    assigned_at = MarkupColumn("{{ value|day }}", verbose_name="Assigned", orderable=False)
    identifier = MarkupColumn(
        "{{ record.identifier.identifier|outside }}", verbose_name="Subscription identifier", orderable=False
    )
    external_id = NameColumn(verbose_name="External user id", orderable=False)
    employee_id = NameColumn(verbose_name="Employee id", orderable=False)
    department = MarkupColumn("{{ record.match.person.department|outside }}", orderable=False)
    cost_center = MarkupColumn("{{ record.match.person.cost_center|outside }}", orderable=False)
    country = MarkupColumn("{{ record.match.person.country|outside }}", orderable=False)
    first_seen_at = MarkupColumn("{{ value|day }}", verbose_name="First seen", orderable=False)

    def value_display_name(self, record: Subscription) -> str:
        return record.title

    def value_software_model(self, record: Subscription) -> str:
        return str(record.identifier.software_model or "")

    def value_profile(self, record: Subscription) -> str:
        return record.profile.display_name

    def value_consumes_license(self, record: Subscription) -> bool:
        return record.consumes_license and record.ended_at is None and not record.excluded

    def value_user(self, record: Subscription) -> str:
        return record.match.person.name if hasattr(record, "match") else ""

    def value_last_activity(self, record: Subscription) -> datetime | None:
        latest: LastActivity | None = getattr(record, "last_activity", None)
        return latest.at if latest else None

    def value_inactive_days(self, record: Subscription) -> int | None:
        idle = last_used.idle(record, timezone.now())
        return idle.days if idle else None

    def order_email(self, queryset: QuerySet[Subscription], is_descending: bool) -> tuple[QuerySet[Subscription], bool]:
        return queryset.order_by("-compared_email" if is_descending else "compared_email", "pk"), True

    def order_user(self, queryset: QuerySet[Subscription], is_descending: bool) -> tuple[QuerySet[Subscription], bool]:
        return by_known(queryset, "match__person__name", is_descending)

    def order_last_activity(
        self, queryset: QuerySet[Subscription], is_descending: bool
    ) -> tuple[QuerySet[Subscription], bool]:
        return by_known(queryset, "last_activity__at", is_descending)

    def order_inactive_days(
        self, queryset: QuerySet[Subscription], is_descending: bool
    ) -> tuple[QuerySet[Subscription], bool]:
        """Most inactive first: no activity in all that was read, then the most days; what is not known comes last."""
        described = last_used.with_idle_facts(queryset, timezone.now())
        rank = last_used.inactivity_rank(most_first=is_descending)
        days = F("unused_since").asc(nulls_last=True) if is_descending else F("unused_since").desc(nulls_last=True)
        return described.order_by(rank, days, "pk"), True

    class Meta(Table.Meta):
        model = Subscription
        fields = (
            "tick",
            "display_name",
            "email",
            "software_model",
            "profile",
            "status",
            "consumes_license",
            "user",
            "last_activity",
            "inactive_days",
            *("assigned_at", "identifier", "external_id", "employee_id"),
            *("department", "cost_center", "country", "first_seen_at"),
        )
        order_by = "display_name"
