"""Checks of the vendors' addresses, and of the way to them. Requests are HEAD and carry no credential."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils import timezone

from profiles import connectors
from profiles.connection import endpoints
from profiles.connectors import transport
from samsaas.diagnosis.findings import Finding, error_line, fail, ok, warn

SECONDS = 3
MOST_DRIFT = 5


def vendor_addresses() -> Iterator[Finding]:
    """Secrets go to the vendor's own addresses over https, or to a stand-in that was configured on purpose."""
    for key, label in connectors.choices():
        own, here = connectors.vendor(key).endpoints, endpoints.for_vendor(key)
        names = connectors.vendor(key).setting_names().items()
        changed = [setting for field, setting in names if getattr(own, field) != getattr(here, field)]
        unsafe = [setting for field, setting in names if not _is_safe(getattr(here, field))]
        if unsafe:
            remedy = "Use https and a plain host name, or unset them to use the vendor's own."
            yield fail(f"vendor {label}", f"Not https: {', '.join(unsafe)}.", remedy)
        elif changed and not settings.SANDBOX:
            remedy = "Unset them, unless you use a stand-in for the vendor on purpose."
            yield warn(f"vendor {label}", f"Not the vendor's own addresses: {', '.join(changed)}.", remedy)
        else:
            yield ok(f"vendor {label}", f"At {urlsplit(here.api_url).netloc}.")


def _is_safe(address: str) -> bool:
    try:
        return bool(transport.require_secure(address))
    except ValueError:
        return False


def vendors_reachable() -> Iterator[Finding]:
    """This machine reaches the vendors. Any answer counts: only name, route, proxy and certificate are tested.

    The consent page is not tested, because only browsers open it.
    """
    for key, label in connectors.choices():
        places = endpoints.for_vendor(key)
        parts = map(urlsplit, (places.token_url, places.api_url))
        for origin in dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts):
            yield from _ask_origin(f"vendor {label}", origin)


def _ask_origin(check: str, origin: str) -> Iterator[Finding]:
    session = requests.Session()
    session.trust_env = not transport.is_loopback(origin)  # loopback never goes through the proxy, as in the connectors
    try:
        with session.head(f"{origin}/", timeout=SECONDS, allow_redirects=False) as answer:
            date = answer.headers.get("Date", "")
    except requests.RequestException as error:
        remedy = "Check firewall, proxy (HTTPS_PROXY) and the machine's certificates."
        yield fail(check, f"{origin} cannot be reached ({error_line(_root_cause(error))}).", remedy)
        return
    yield ok(check, f"{origin} answers.")
    yield from _compare_clocks(check, date)


def _root_cause(error: requests.RequestException) -> BaseException:
    """The original error below the retries, which tells name, route and certificate apart."""
    first = error.args[0] if error.args else error
    reason = getattr(first, "reason", first)
    return reason if isinstance(reason, BaseException) else error


def _compare_clocks(check: str, date: str) -> Iterator[Finding]:
    """Warn if the vendor's Date header differs from this machine's clock. The header has whole seconds."""
    try:
        theirs: datetime = parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return
    drift = abs((timezone.now() - theirs).total_seconds())
    if drift > MOST_DRIFT + 1:
        yield warn(check, f"Its clock and this machine's differ by {drift:.0f} s.", "Synchronize this machine (NTP).")
