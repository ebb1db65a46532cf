"""Where messages may go: to public addresses, and to networks that a setting names.

Whoever adds a webhook chooses an address that our own workers connect to. Without a
guard, that reaches what only the inside of the network reaches.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from apps.core.errors import Invalid
from apps.notices.models import MAX_URL_CHARACTERS

Address = IPv4Address | IPv6Address

_PORTS: Final = {"https": 443, "http": 80}
# Addresses that carry another one in them, which the guard would not see: NAT64 and its
# local prefix (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380).
_CARRYING: Final = [
    ip_network(each)
    for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
]


class Forbidden(Exception):
    """A message may not go there; the message says why."""


@dataclass(frozen=True)
class Destination:
    """Where to connect to, and what to ask for there."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def check_url(url: str) -> str:
    """Return the address of a webhook without the blanks around it.

    A name is looked up only when something is sent, since it can change.

    Raises:
        Invalid: it is no address that could ever be sent to.
    """
    url = url.strip()
    if fault := _fault_of(url):
        raise Invalid(fault, fields={"url": fault})
    return url


def destination(url: str) -> Destination:
    """Find where a message goes, looking the name up once.

    Whoever connects uses the address found here: a name that says something else a
    moment later does not lead elsewhere.

    Raises:
        Forbidden: the machine, or one of those behind the name, may not be reached.
        OSError: the name is not known.
    """
    if fault := _fault_of(url):
        raise Forbidden(fault)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ip_address(each[4][0]) for each in found]
    if not addresses or not all(map(_may_be_reached, addresses)):
        raise Forbidden(f"{host} is inside a network that webhooks may not reach.")
    if parts.scheme == "http" and not all(each.is_loopback for each in addresses):
        raise Forbidden("Only this machine is told without encryption.")
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return Destination(parts.scheme, host, port, path, str(addresses[0]))


def _fault_of(url: str) -> str:
    """Say in a sentence what is wrong with an address; nothing when it may be."""
    if len(url) > MAX_URL_CHARACTERS or not (url.isascii() and url.isprintable()):
        return f"Give an address of at most {MAX_URL_CHARACTERS} plain characters."
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "This is no address."
    if parts.scheme not in _allowed_schemes() or not host or " " in url:
        return "Give an address that begins with https://."
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "Give an address without a name, a password or a # part."
    literal = _literal(host)
    if literal and not _may_be_reached(literal):
        return f"{host} is inside a network that webhooks may not reach."
    return ""


def _allowed_schemes() -> set[str]:
    """Plain http is for this machine only, where a setting lets webhooks reach it."""
    networks = map(ip_network, settings.WEBHOOK_NETWORKS)
    return {"https", "http"} if any(one.is_loopback for one in networks) else {"https"}


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _may_be_reached(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    networks = [ip_network(each) for each in settings.WEBHOOK_NETWORKS]
    if any(address in network for network in networks):
        return True
    carries = any(address in network for network in _CARRYING)
    return address.is_global and not address.is_multicast and not carries
