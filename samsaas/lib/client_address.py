"""Where a request comes from, and which addresses belong to one visitor."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

ONE_SUBSCRIBER = 64  # bits of an IPv6 address: providers give each customer at least so much


def client_address(request: HttpRequest) -> str:
    """The peer's address. With `TRUST_PROXY` it is the last entry of X-Forwarded-For, which our own proxy added."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.TRUST_PROXY else ""
    return forwarded.rsplit(",", 1)[-1].strip() or request.META.get("REMOTE_ADDR", "")


def network_of(address: str) -> str:
    """The network whose addresses one visitor can choose from: an IPv4 address itself, or the /64 of an IPv6 one.

    An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) is that IPv4 address. Ports and zones are left out. Text that
    is no address stays as it is.
    """
    found = _parse_address(address.strip())
    if found is None:
        return address.strip()
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if isinstance(found, IPv4Address):
        return str(found)
    return str(IPv6Network((int(found), ONE_SUBSCRIBER), strict=False))


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Some proxies add a port: `192.0.2.1:4711` or `[2001:db8::1]:4711`."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
