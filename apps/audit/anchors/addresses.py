"""The setting AUDIT_ANCHORS: one address for each place outside."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from apps.audit.anchors.anchor import Anchor
from apps.audit.anchors.carried import CarriedWitness
from apps.audit.anchors.directory import Directory
from apps.audit.anchors.syslog import Syslog
from apps.audit.anchors.timestamp import TimestampAuthority
from apps.audit.anchors.witness import Witness
from apps.audit.transparency.cosignature import CosignatureVerifier
from apps.audit.transparency.note import InvalidKey

SYSLOG_PORT = 514
OPTIONS = {"every", "late"}


class InvalidAddress(ValueError):
    """An address of AUDIT_ANCHORS cannot be used; the message says why."""


def anchors_of(addresses: Iterable[str]) -> list[Anchor]:
    """Read the addresses.

    Raises:
        InvalidAddress: one is malformed, or two name the same place.
    """
    anchors = [anchor_of(address) for address in addresses]
    names = [anchor.address for anchor in anchors]
    for name in names:
        if names.count(name) > 1:
            raise InvalidAddress(f"AUDIT_ANCHORS names {name} twice.")
    return anchors


def anchor_of(address: str) -> Anchor:
    """Read one address.

    Raises:
        InvalidAddress: it is malformed.
    """
    parts = urlsplit(address)
    shown = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if parts.scheme not in _KINDS:
        known = ", ".join(sorted(_KINDS))
        raise InvalidAddress(f"{shown} is no anchor; begin with one of {known}.")
    if parts.username or parts.password:
        raise InvalidAddress("An address of AUDIT_ANCHORS holds no password.")
    kind = _KINDS[parts.scheme]
    try:
        own = kind.facts(parts)
        pace = _seconds(parts, "every", kind.anchor.usual_pace)
        patience = _seconds(parts, "late", kind.anchor.usual_patience)
    except ValueError as error:
        raise InvalidAddress(f"{shown} cannot be an anchor: {error}") from error
    return kind.anchor(address=shown, every=pace, late=patience, **own)


def _seconds(parts: SplitResult, name: str, usual: int) -> int:
    options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    if unknown := set(options) - OPTIONS:
        raise InvalidAddress(f"{', '.join(sorted(unknown))} is no option.")
    seconds = int(options.get(name, usual))
    if seconds < 1:
        raise InvalidAddress(f"{name} is a number of seconds.")
    return seconds


def _folder(parts: SplitResult) -> Path:
    if parts.netloc or len(parts.path) <= 1:
        raise InvalidAddress("write three slashes and the path of a folder.")
    return Path(unquote(parts.path))


def _directory(parts: SplitResult) -> dict[str, Any]:
    return {"folder": _folder(parts)}


def _carried(parts: SplitResult) -> dict[str, Any]:
    return {"folder": _folder(parts), "verifier": _verifier(parts)}


def _syslog(parts: SplitResult) -> dict[str, Any]:
    is_stream = parts.scheme == "syslog+tcp"
    if not parts.hostname:
        if is_stream or len(parts.path) <= 1:
            raise InvalidAddress("name a host, or the file of a local socket.")
        return {
            "family": socket.AF_UNIX,
            "way": socket.SOCK_DGRAM,
            "target": unquote(parts.path),
        }
    return {
        "family": socket.AF_INET6 if ":" in parts.hostname else socket.AF_INET,
        "way": socket.SOCK_STREAM if is_stream else socket.SOCK_DGRAM,
        "target": (parts.hostname, parts.port or SYSLOG_PORT),
    }


def _witness(parts: SplitResult) -> dict[str, Any]:
    if parts.scheme.endswith("+http") and not _is_loopback(parts.hostname or ""):
        raise InvalidAddress("a witness on another machine is asked over https.")
    return {"url": _url(parts), "verifier": _verifier(parts)}


def _authority(parts: SplitResult) -> dict[str, Any]:
    if not parts.fragment:
        raise InvalidAddress("write # and the file of its certificates behind it.")
    return {"url": _url(parts), "certificates": Path(unquote(parts.fragment))}


def _url(parts: SplitResult) -> str:
    if not parts.hostname:
        raise InvalidAddress("it names no host.")
    scheme = parts.scheme.partition("+")[2]
    return f"{scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _verifier(parts: SplitResult) -> CosignatureVerifier:
    try:
        return CosignatureVerifier(parts.fragment)
    except InvalidKey as error:
        raise InvalidAddress(f"write # and its key behind it. {error}") from error


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class _Kind:
    anchor: type[Anchor]
    facts: Callable[[SplitResult], dict[str, Any]]


_KINDS = {
    "dir": _Kind(Directory, _directory),
    "syslog": _Kind(Syslog, _syslog),
    "syslog+tcp": _Kind(Syslog, _syslog),
    "witness+https": _Kind(Witness, _witness),
    "witness+http": _Kind(Witness, _witness),
    "witness-file": _Kind(CarriedWitness, _carried),
    "tsa+https": _Kind(TimestampAuthority, _authority),
    # A token is signed: who listens or changes it on the way gains nothing.
    "tsa+http": _Kind(TimestampAuthority, _authority),
}
