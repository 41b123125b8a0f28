"""What a colleague finds in the mail: the newest link to an address."""

from __future__ import annotations

from urllib.parse import urlsplit

from samsaas.models import Mail


def newest_link(to: str) -> str:
    """The path of the link in the newest mail to this address."""
    return urlsplit(Mail.objects.filter(to=to).latest("pk").secret).path
