"""Where the vendors are, and whether this machine reaches them: asked for headers only, without any credential."""

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
from samsaas.diagnosis.findings import Finding, fail, ok, said, warn

SECONDS = 3
MOST_DRIFT = 5


def addresses() -> Iterator[Finding]:
    """Where secrets will go: to the vendor, or to a stand-in that somebody meant."""
    for key, label in connectors.choices():
        own, here = connectors.vendor(key).endpoints, endpoints.for_vendor(key)
        names = connectors.vendor(key).setting_names().items()
        changed = [setting for field, setting in names if getattr(own, field) != getattr(here, field)]
        unsafe = [setting for field, setting in names if not _is_safe(getattr(here, field))]
        if unsafe:
            remedy = "Use https; or unset them, and the vendor's own are used."
            yield fail(f"vendor {label}", f"Not https: {', '.join(unsafe)}.", remedy)
        elif changed and not settings.SANDBOX:
            remedy = "Unset them, unless a stand-in for the vendor is meant."
            yield warn(f"vendor {label}", f"Not the vendor's own addresses: {', '.join(changed)}.", remedy)
        else:
            yield ok(f"vendor {label}", f"At {urlsplit(here.api_url).netloc}.")


def _is_safe(address: str) -> bool:
    try:
        return bool(transport.require_secure(address))
    except ValueError:
        return False


def reachable() -> Iterator[Finding]:
    """Any answer will do: what is looked for is name, route, proxy and certificate.

    The consent page is left out: browsers open it, this machine never does.
    """
    for key, label in connectors.choices():
        places = endpoints.for_vendor(key)
        parts = map(urlsplit, (places.token_url, places.api_url))
        for origin in dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts):
            yield from _asked(f"vendor {label}", origin)


def _asked(check: str, origin: str) -> Iterator[Finding]:
    session = requests.Session()
    session.trust_env = not transport.is_loopback(origin)  # a proxy is for the world, as in the connectors
    try:
        with session.head(f"{origin}/", timeout=SECONDS, allow_redirects=False) as answer:
            date = answer.headers.get("Date", "")
    except requests.RequestException as error:
        remedy = "Check firewall, proxy (HTTPS_PROXY) and the machine's certificates."
        yield fail(check, f"{origin} cannot be reached ({said(_cause(error))}).", remedy)
        return
    yield ok(check, f"{origin} answers.")
    yield from _on_time(check, date)


def _cause(error: requests.RequestException) -> BaseException:
    """The error below the retries: whether it was the name, the route or the certificate."""
    first = error.args[0] if error.args else error
    reason = getattr(first, "reason", first)
    return reason if isinstance(reason, BaseException) else error


def _on_time(check: str, date: str) -> Iterator[Finding]:
    """The vendor's clock by its Date header, whole seconds."""
    try:
        theirs: datetime = parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return
    drift = abs((timezone.now() - theirs).total_seconds())
    if drift > MOST_DRIFT + 1:
        yield warn(check, f"Its clock and this machine's differ by {drift:.0f} s.", "Synchronize this machine (NTP).")
