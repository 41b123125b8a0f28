"""The addresses of a vendor in this deployment."""

from __future__ import annotations

from django.conf import settings

from profiles import connectors
from profiles.connectors import base


def for_vendor(vendor: str) -> base.Endpoints:
    """The vendor's addresses.

    They come from deployment settings only, so that no form can send a secret to another host.
    """
    return connectors.vendor(vendor).endpoints_from(lambda name, default: getattr(settings, name, default))
