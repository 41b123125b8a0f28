"""Open removal candidates, asked for through a door: the app above registers it in `POSITION_CANDIDATES`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from subscriptions.models import Subscription


def open_seats(at: datetime | None) -> tuple[str, list[Any]]:
    """A SELECT of the seats that had an open candidate at that moment, or have one now, with its parameters.

    Now each of them is among the rows once.
    """
    if not settings.POSITION_CANDIDATES:
        return f"SELECT id AS subscription_id FROM {Subscription._meta.db_table} WHERE 1 = 0", []  # noqa: S608 - a name of ours
    rows = import_string(settings.POSITION_CANDIDATES)(at)
    statement, values = rows.query.sql_with_params()
    return statement, list(values)
