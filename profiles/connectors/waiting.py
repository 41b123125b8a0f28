"""How long a vendor asks us to wait."""

from __future__ import annotations

import datetime as dt
import math
import re
from email.utils import parsedate_to_datetime

from profiles.connectors.transport import Answer

SHORTEST_WAIT = 1.0
LONGEST_WAIT = 3600.0


def retry_after(answer: Answer, seconds_in_body: float | None = None) -> float:
    """Seconds to wait after a 429, between 1 and 3,600.

    The header wins over the body; an unreadable value is ignored.
    """
    header = answer.headers.get("Retry-After", "").strip()
    seconds: float | None = None
    if re.fullmatch(r"[0-9]{1,40}(\.[0-9]{1,9})?", header):
        seconds = float(header)
    elif (until := http_date(header)) is not None:
        seconds = (until - (http_date(answer.headers.get("Date", "")) or dt.datetime.now(dt.UTC))).total_seconds()
    if seconds is None:
        seconds = seconds_in_body
    if seconds is None or not math.isfinite(seconds):
        seconds = SHORTEST_WAIT
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)


def http_date(value: str) -> dt.datetime | None:
    """A moment in the form of an HTTP header; None where it cannot be read."""
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
