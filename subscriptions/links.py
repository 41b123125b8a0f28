"""Links from a figure to the list of subscriptions behind it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

USES, USES_NONE = "yes", "no"
UNRECOGNIZED = "null"
EXCLUDED = "excluded"
LEFT, LEFT_ADMIN = "left", "left_admin"


def list_url(**filters: Any) -> str:
    """The URL of the subscription list with these filters."""
    return f"{reverse('subscription_list')}?{urlencode(filters)}"
