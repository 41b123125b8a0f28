"""Where to go on: the one reading of `back` and `next`, which anybody can write into a link or a form."""

from __future__ import annotations

from django.utils.http import url_has_allowed_host_and_scheme

LONGEST = 2000


def read_local_path(text: str | None, default: str = "") -> str:
    """The text if it is the path of a page of this site, otherwise the default.

    Browsers read `//host`, `/\\host` and a path with tabs or line ends in it as the address of another site.
    """
    text = text or ""
    is_path = text.startswith("/") and text[1:2] not in ("/", "\\") and len(text) <= LONGEST and text.isprintable()
    return text if is_path and url_has_allowed_host_and_scheme(text, allowed_hosts=None) else default
