"""Which hosts lead nowhere else: this machine, and names that can never exist."""

from __future__ import annotations

from urllib.parse import urlsplit

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
RESERVED = {"example", "invalid", "localhost", "test"}  # RFC 2606


def stands_in(address: str) -> bool:
    """Whether an address leads to a stand-in at most, and surely to no vendor."""
    host = urlsplit(address).hostname or ""
    return host in LOOPBACK or host.rpartition(".")[2] in RESERVED
