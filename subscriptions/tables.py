"""The table of software subscriptions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn, NameColumn, WrittenColumn
from samsaas.lib.selection_bar import TickColumn
from samsaas.lib.tables import Table
from subscriptions import cells
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
    display_name = WrittenColumn(cells.write_name, order_by=("display_name", "pk"), attrs=ROOMY)
    email = MarkupColumn("{{ value|breakable }}", verbose_name="User principal name")
    software_model = WrittenColumn(cells.write_model, order_by="identifier__software_model__edition")
    profile = WrittenColumn(cells.write_profile, verbose_name="Subscription profile")
    status = WrittenColumn(cells.write_status)
    consumes_license = WrittenColumn(cells.write_license, verbose_name="License")
    user = WrittenColumn(cells.write_user, verbose_name="User")
    last_activity = WrittenColumn(cells.write_last_use, verbose_name="Last activity")
    inactive_days = WrittenColumn(cells.write_idle_days, verbose_name="Inactive days", attrs=NUMBER)

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
        return record.takes_license

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
