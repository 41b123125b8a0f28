"""The audit trail in tests: its triggers dropped where a test database is emptied, and no entry of a sign-in before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.signals import user_logged_in
from django.db import connection

from samsaas import audit, record_sign_ins


def triggers(table: str = audit.TABLE) -> list[str]:
    """The names of the triggers that the table has."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal", [table]
            )
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
        return sorted(name for (name,) in cursor.fetchall())


def drop_triggers() -> None:
    """What the owner of the database can do."""
    for table in (audit.TABLE, audit.SEALS):
        place = f' ON "{table}"' if connection.vendor == "postgresql" else ""
        for name in triggers(table):
            with connection.cursor() as cursor:
                cursor.execute(f'DROP TRIGGER "{name}"{place}')


@contextmanager
def unrecorded_sign_in() -> Iterator[None]:
    user_logged_in.disconnect(dispatch_uid="samsaas sign-in")
    try:
        yield
    finally:
        user_logged_in.connect(record_sign_ins.record_sign_in, dispatch_uid="samsaas sign-in")
