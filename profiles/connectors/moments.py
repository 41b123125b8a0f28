"""Moments from a vendor that can be true: all others are treated as if the vendor had not given them."""

from __future__ import annotations

import datetime as dt

# No vendor is older, and no page can show the first and the last year in every time zone.
EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


def possible(moment: dt.datetime | None) -> dt.datetime | None:
    """The moment in UTC; None if there is none, or if it lies before the year 2000 or after 2099."""
    if moment is None or not EARLIEST <= moment < LATEST:
        return None
    return moment if moment.tzinfo is dt.UTC else moment.astimezone(dt.UTC)
