"""Where a setting of a connection comes from: the alias itself, its parent, or this installation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any

from django.conf import settings

from profiles.connectors import base
from profiles.models import ConnectionAlias

DEFAULTS = base.Limits()
INSTALLATION = "this installation’s default"
LABELS = {
    "page_size": "Records per call",
    "requests_per_minute": "Rate limit (calls per minute)",
    "attempts": "Attempts per call",
    "refresh_at": "Daily refresh at",
    "zone": "Time zone",
    "reclaim_quota": "Removals without a second person",
    "reclaim_ceiling": "Removals in 7 days at most",
}
# What a limit of removals is where nobody has set it; the number follows from the team's licenses.
SHARES = {"reclaim_quota": "a twentieth of the licenses, 10 at most", "reclaim_ceiling": "a fifth of the licenses"}


@dataclass(frozen=True)
class Setting:
    """One effective setting of an alias.

    `source` is the alias that sets it; `None` means the installation's default.
    """

    label: str
    value: str
    source: ConnectionAlias | None
    own: bool

    @property
    def origin(self) -> str:
        """Where the value comes from, in words that follow the value."""
        if self.source is None:
            return INSTALLATION
        return f"set on the {'child' if self.source.parent_id else 'parent'} alias {self.source.name}"


def settings_of(alias: ConnectionAlias) -> list[Setting]:
    """Every effective setting of an alias."""
    return [setting_of(alias, name) for name in (*ConnectionAlias.SETTINGS, *ConnectionAlias.LIMITS)]


def setting_of(alias: ConnectionAlias, name: str) -> Setting:
    """The effective value of one of `ConnectionAlias.SETTINGS` or `LIMITS`."""
    source = next((one for one in (alias, alias.parent) if one and getattr(one, name) not in (None, "")), None)
    value = getattr(source, name) if source else _installation_default(name)
    return Setting(LABELS[name], _display_value(value), source, own=source == alias)


def without_own(alias: ConnectionAlias, name: str) -> Setting:
    """The setting that would be effective if the alias did not set it."""
    if alias.parent:
        return setting_of(alias.parent, name)
    return Setting(LABELS[name], _display_value(_installation_default(name)), None, own=False)


def _installation_default(name: str) -> Any:
    chosen_here = {"refresh_at": time.fromisoformat(settings.DAILY_REFRESH_AT), "zone": settings.TIME_ZONE, **SHARES}
    return chosen_here[name] if name in chosen_here else getattr(DEFAULTS, name)


def _display_value(value: Any) -> str:
    if value is None:
        return "unlimited"
    return f"{value:%H:%M}" if isinstance(value, time) else str(value)
