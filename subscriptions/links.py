"""The way to the subscription list behind a figure."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

USES, USES_NONE = "yes", "no"
UNRECOGNIZED = "null"
EXCLUDED = "excluded"
LEFT = "left"


def list_url(**filters: Any) -> str:
    """The subscription list behind a figure."""
    return f"{reverse('subscription_list')}?{urlencode(filters)}"
