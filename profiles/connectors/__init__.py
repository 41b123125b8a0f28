"""The registry of vendors, one line each. A vendor's code is loaded at its first use."""

from __future__ import annotations

import importlib
import time

from profiles.connectors.base import Connector, Endpoints, Limits, TokenSource, Vendor, Wait

CONNECTORS: dict[str, str] = {
    "dropbox": "profiles.connectors.dropbox.connector",
}


def vendor(key: str) -> Vendor:
    """The registry row of one vendor. Raises KeyError for an unknown vendor."""
    row: Vendor = importlib.import_module(CONNECTORS[key]).VENDOR
    return row


def vendors() -> dict[str, Vendor]:
    """Every registry row by key, in the order of the registry."""
    return {key: vendor(key) for key in CONNECTORS}


def choices() -> list[tuple[str, str]]:
    """(key, label) pairs for a form field."""
    return [(key, row.label) for key, row in vendors().items()]


def _sleep(seconds: float, reason: str) -> None:
    time.sleep(seconds)


def open(
    vendor_key: str,
    endpoints: Endpoints,
    client_id: str,
    token_source: TokenSource,
    limits: Limits | None = None,
    wait: Wait = _sleep,
) -> Connector:
    """Return a connector for one tenant. It calls `wait(seconds, reason)` instead of sleeping.

    Opening does not call the vendor. Raises ValueError for an unusable or non-TLS address, before any token is sent.
    """
    module_name, class_name = vendor(vendor_key).connector.split(":")
    connector = getattr(importlib.import_module(module_name), class_name)
    opened: Connector = connector(endpoints, client_id, token_source, limits or Limits(), wait)
    return opened
