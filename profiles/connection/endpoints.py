"""Where a vendor lives, as this deployment says."""

from __future__ import annotations

from django.conf import settings

from profiles import connectors
from profiles.connectors import base


def for_vendor(vendor: str) -> base.Endpoints:
    """Deployment settings only, so that no form can point a secret at another host."""
    return connectors.vendor(vendor).endpoints_from(lambda name, default: getattr(settings, name, default))
