"""The table in which a download collects its pages until the list is complete: one per run, without indexes.

A row is a listed account. A row without an `identifier` is a record that could not be read; it only keeps its seat from
being ended. Of two rows of one account the later one counts. A crash of PostgreSQL empties an unlogged table, so
`count_rows` is compared with the run's row before the table is used again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection, transaction

from profiles.connectors.base import Seat, SetAside
from profiles.models import JobRun
from samsaas.lib import bulk, sql, text_forms
from subscriptions.models import Subscription, SubscriptionIdentifier

PREFIX = "subscriptions_staging_"

# What the vendor says about a seat. These columns have the same names in the subscription table.
VALUES = (
    "email",
    "email_verified",
    "display_name",
    "given_name",
    "surname",
    "account_id",
    "employee_id",
    "secondary_emails",
    "roles",
    "is_admin",
    "is_full_admin",
    "status",
    "vendor_status",
    "consumes_license",
    "assigned_at",
    "invited_at",
    "suspended_at",
)
# The forms in which they are compared (`samsaas.lib.text_forms`). They differ only where a value differs.
COMPARED = ("compared_email", "compared_employee_id")
EMAIL_FORM, NUMBER_FORM = (text_forms.form_of_column(Subscription, name) for name in COMPARED)
WRITTEN = (*VALUES, *COMPARED)
COLUMNS = ("position", "external_id", "identifier", *WRITTEN)


def table_name(run_id: int) -> str:
    return f"{PREFIX}{run_id:d}"


def create_table(run_id: int) -> None:
    """Create an empty table, dropping an older one of this run. Call it in the transaction that resets the cursor."""
    concrete = {field.name: field for field in Subscription._meta.concrete_fields}
    types = {name: concrete[name].db_type(connection) for name in ("external_id", *WRITTEN)}
    types["identifier"] = SubscriptionIdentifier._meta.get_field("identifier").db_type(connection)
    types["position"] = "integer" if sql.is_postgresql() else "integer PRIMARY KEY"
    columns = ", ".join(f"{name} {types[name]}" for name in COLUMNS)
    drop_table(run_id)
    if sql.is_postgresql():
        sql.execute(f"CREATE UNLOGGED TABLE {table_name(run_id)} ({columns}) WITH (autovacuum_enabled = off)")
    else:
        sql.execute(f"CREATE TABLE {table_name(run_id)} ({columns})")


def append_batch(run_id: int, seats: Iterable[Seat], set_aside: Iterable[SetAside], *, start: int) -> int:
    """Append one batch after the first `start` rows. Returns how many rows were added."""
    shields = (record.external_id for record in set_aside if record.external_id)
    return bulk.load(connection, table_name(run_id), COLUMNS, driver_rows(seats, shields, start=start))


def count_rows(run_id: int) -> int | None:
    """How many rows there are; `None` without a table."""
    return sql.count_rows(table_name(run_id)) if table_name(run_id) in connection.introspection.table_names() else None


def drop_table(run_id: int) -> None:
    sql.drop_table(table_name(run_id))


def drop_orphans() -> int:
    """Drop the tables of runs that are over or deleted. Returns how many."""
    names = connection.introspection.table_names()
    staged = {int(found[1]) for name in names if (found := re.fullmatch(rf"{PREFIX}(\d+)", name))}
    if not staged:
        return 0
    with transaction.atomic():
        orphans = staged - set(JobRun.objects.active().filter(pk__in=staged).values_list("pk", flat=True))
        for run_id in orphans:
            drop_table(run_id)
    return len(orphans)


def driver_rows(seats: Iterable[Seat], shields: Iterable[str] = (), *, start: int = 0) -> Iterator[tuple[Any, ...]]:
    """Seats, and ids of records that could not be read, as values of `COLUMNS` in the form the driver takes."""
    moment = connection.ops.adapt_datetimefield_value
    position = start
    for seat in seats:
        position += 1
        yield (
            position,
            seat.external_id,
            seat.identifier,
            seat.email,
            seat.email_verified,
            seat.display_name,
            seat.given_name,
            seat.surname,
            seat.account_id,
            seat.employee_id,
            "\n".join(seat.secondary_emails),
            "\n".join(seat.roles),
            seat.is_admin,
            seat.is_full_admin,
            seat.status,
            seat.vendor_status,
            seat.consumes_license,
            seat.assigned_at and moment(seat.assigned_at),
            seat.invited_at and moment(seat.invited_at),
            seat.suspended_at and moment(seat.suspended_at),
            EMAIL_FORM(seat.email),
            NUMBER_FORM(seat.employee_id),
        )
    nothing = (None,) * len(COLUMNS[2:])
    for external_id in shields:
        position += 1
        yield (position, external_id, *nothing)
