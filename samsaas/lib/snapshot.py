"""Read one snapshot of the database for minutes, without holding anybody up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction

from samsaas.lib import sql


@contextmanager
def read_snapshot() -> Iterator[None]:
    """Everything read inside is of one moment. Temporary tables made inside are still there afterwards.

    Only temporary tables may be written. On SQLite the transaction is deferred, unlike all others, so that it takes no
    lock and others can write meanwhile. Inside a transaction of the caller, that one is used as it is.
    """
    connection: Any = connections["default"]
    if connection.in_atomic_block:
        yield
    elif sql.is_postgresql():
        with transaction.atomic():
            sql.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield
    else:
        mode, connection.transaction_mode = connection.transaction_mode, "DEFERRED"
        try:
            with transaction.atomic():
                yield
        finally:
            connection.transaction_mode = mode
