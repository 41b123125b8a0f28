"""What every page's frame needs to know."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Any

from django.conf import settings
from django.http import HttpRequest


@cache
def version() -> str:
    """The installed version; a checkout that was never installed says so."""
    try:
        return metadata.version("samsaas")
    except metadata.PackageNotFoundError:
        return "from source"


def shell(request: HttpRequest) -> dict[str, Any]:
    """Name and version, the zone times are shown in, and whether the vendor behind this installation is the sandbox."""
    return {"product": "samsaas", "version": version(), "zone": settings.TIME_ZONE, "sandbox": settings.SANDBOX}
