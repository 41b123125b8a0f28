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
    "page_size": "Records a call",
    "requests_per_minute": "Most calls a minute",
    "attempts": "Attempts per call",
    "refresh_at": "Daily refresh at",
    "zone": "Time zone",
}


@dataclass(frozen=True)
class Setting:
    """What holds for an alias. `source` is the alias that says so, `None` where the installation does."""

    label: str
    value: str
    source: ConnectionAlias | None
    own: bool

    @property
    def origin(self) -> str:
        """Whose word it is, to follow the value."""
        if self.source is None:
            return INSTALLATION
        return f"set on the {'child' if self.source.parent_id else 'parent'} alias {self.source.name}"


def settings_of(alias: ConnectionAlias) -> list[Setting]:
    """Every setting of an alias as it is in force."""
    return [setting_of(alias, name) for name in ConnectionAlias.SETTINGS]


def setting_of(alias: ConnectionAlias, name: str) -> Setting:
    """One of `ConnectionAlias.SETTINGS`."""
    source = next((one for one in (alias, alias.parent) if one and getattr(one, name) not in (None, "")), None)
    value = getattr(source, name) if source else _installation_default(name)
    return Setting(LABELS[name], _display_value(value), source, own=source == alias)


def without_own(alias: ConnectionAlias, name: str) -> Setting:
    """What would hold if the alias itself said nothing."""
    if alias.parent:
        return setting_of(alias.parent, name)
    return Setting(LABELS[name], _display_value(_installation_default(name)), None, own=False)


def _installation_default(name: str) -> Any:
    chosen_here = {"refresh_at": time.fromisoformat(settings.DAILY_REFRESH_AT), "zone": settings.TIME_ZONE}
    return chosen_here[name] if name in chosen_here else getattr(DEFAULTS, name)


def _display_value(value: Any) -> str:
    if value is None:
        return "no bound"
    return f"{value:%H:%M}" if isinstance(value, time) else str(value)
