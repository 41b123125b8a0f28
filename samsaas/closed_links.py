"""Links to pages that are closed to a person of limited sight: what they say stays, and they lead nowhere.

It is done with the finished page, because nearly every template has a link to a person, a model or a figure over all
profiles, and one that forgets to ask would offer what answers 403. A link without address is no stop of the keyboard.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from samsaas import page_sight, policy
from samsaas.lib import sight

LINK = re.compile(r'(<a\b[^>]*?)\shref="(/[^"]*)"')


def close(request: HttpRequest, answer: HttpResponse) -> None:
    """Take the address from each link of a page that would refuse this person. Others get their page unchanged."""
    user = getattr(request, "user", None)  # a door may refuse a request before anybody has asked who it is
    is_page = not answer.streaming and answer.headers.get("Content-Type", "").startswith("text/html")
    if is_page and user is not None and sight.sight_of(user) is not None:
        answer.content = LINK.sub(_without_closed_address, answer.text)


def _without_closed_address(link: re.Match[str]) -> str:
    return link[1] if is_closed(urlsplit(unescape(link[2])).path) else link[0]


@lru_cache(maxsize=1024)
def is_closed(path: str) -> bool:
    """Whether limited sight does not reach the page of an address."""
    try:
        name = resolve(path).view_name
    except Resolver404:
        return False
    return not policy.is_public(name) and page_sight.kind_of(policy.policy_row(name)) == page_sight.WHOLE
