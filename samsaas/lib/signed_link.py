"""Links in mails that are signed and not stored: whoever has one may do one thing, without signing in.

A link names a row and the address that it has now, so it ends when either is gone.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse


def write_url(url_name: str, pk: int, address: str, *, salt: str) -> str:
    """The whole address of a page for this row."""
    token = signing.dumps([pk, address], salt=salt)
    return f"{settings.PUBLIC_URL}{reverse(url_name, args=[token])}"


def read(token: str, *, salt: str) -> tuple[Any, Any] | None:
    """The row's key and its address; None of an altered link."""
    try:
        pk, address = signing.loads(token, salt=salt)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return pk, address
