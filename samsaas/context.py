"""The template context of every page."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from profiles.connection import credentials
from samsaas.demo import clock
from samsaas.lib import person_zone


@cache
def installed_version() -> str:
    """The installed version, or "from source" for a checkout that was not installed as a package."""
    try:
        return metadata.version("samsaas")
    except metadata.PackageNotFoundError:
        return "from source"


def frame_context(request: HttpRequest) -> dict[str, Any]:
    """Product name and version, the time zones of days and of moments, and whether this installation uses the sandbox,
    and the demo’s clock.

    `secrets_unreadable` is asked by the templates that show it, so that other answers cost no query.
    """
    return {
        "product": "samsaas",
        "version": installed_version(),
        "zone": settings.TIME_ZONE,
        "person_zone": lambda: str(person_zone.current_zone()),
        "sandbox": settings.SANDBOX,
        "demo_clock": clock.running(),
        "secrets_unreadable": credentials.any_unreadable,
    }
