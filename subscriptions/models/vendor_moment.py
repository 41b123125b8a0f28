"""A column for moments that a vendor gave, which every page can show in every time zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models

from profiles.connectors.moments import EARLIEST, LATEST

LAST = LATEST - timedelta(days=1)


class VendorMomentField(models.DateTimeField):
    """A moment of a vendor. One before the year 2000 or after 2099 is read as the nearest day of that time.

    Connectors leave such moments out. One that is stored all the same must make no page fail: at the ends of the
    calendar a moment cannot be converted to the time zone of the installation.
    """

    def from_db_value(self, value: datetime | None, *_: Any) -> datetime | None:
        return value if value is None else min(max(value, EARLIEST), LAST)

    def deconstruct(self) -> Any:
        """For migrations it is a moment like any other: how it is read is no matter of the database."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.DateTimeField", args, options
