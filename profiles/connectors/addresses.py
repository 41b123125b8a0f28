"""Whether a vendor's address is safe for secrets. Refuse whatever two readers of addresses may read differently."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from profiles.connectors.base import Refused

# What one reader takes for the end of the host and another one does not, or removes without a word.
AMBIGUOUS = frozenset("\\@%#^`{}|<>\"'")


class UnsafeAddress(Refused, ValueError):
    """A configured vendor address is not safe for secrets; nothing was sent."""

    remedy = "Correct the vendor's addresses in the deployment settings; manage.py doctor names the wrong one."


def is_loopback(url: str) -> bool:
    """Whether the host is this machine, so that plain http does not leave it."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_secure(url: str) -> str:
    """Return `url` if it is https, or http on loopback. Raises UnsafeAddress otherwise, before a secret is sent.

    What is compared is the address as `requests` will send it. Both readers, Python's and that of `requests`, have to
    find the same scheme, host and port.
    """
    scheme = _scheme_of(url)
    if scheme == "https" or (scheme == "http" and is_loopback(url)):
        return url
    raise UnsafeAddress(f"A vendor address must use https: {_shown(url)}")


def _scheme_of(url: str) -> str:
    """The scheme on which all readers agree. Raises UnsafeAddress for an address that they may read differently."""
    try:
        parts = urlsplit(url)
        prepared = requests.Request("POST", url).prepare().url or ""
        sent = parse_url(prepared)
        ours = (parts.scheme, parts.hostname, parts.port)
    except (ValueError, requests.RequestException, HTTPError) as error:
        raise UnsafeAddress(f"A vendor address must use https; this one cannot be read: {_shown(url)}") from error
    theirs = (sent.scheme, (sent.host or "").strip("[]").lower() or None, sent.port)
    if ours != theirs or urlsplit(prepared).hostname != parts.hostname or not _is_plain(url, parts):
        raise UnsafeAddress(f"A vendor address must use https and name one host plainly: {_shown(url)}")
    return parts.scheme


def _is_plain(url: str, parts: SplitResult) -> bool:
    """Whether the address is visible ASCII, with a host that ends where it seems to end, and no user or password."""
    visible = url.isascii() and url.isprintable() and " " not in url
    clean = not AMBIGUOUS & set(parts.netloc) and "\\" not in url and "#" not in url
    return visible and clean and bool(parts.hostname) and not (parts.hostname or ".").endswith(".")


def _shown(url: str) -> str:
    """The address for an error message, without a password that may stand in it."""
    return repr(url.rpartition("@")[2][:200])
