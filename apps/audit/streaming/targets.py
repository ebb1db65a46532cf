"""Where the trail is sent, read from the setting `AUDIT_STREAMS`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from django.conf import settings

from apps.audit.renderings import RENDERINGS

BATCH: Final = 500  # events of one delivery, unless the target says otherwise
MAX_BATCH: Final = 5000
MAX_NAME: Final = 200
SCHEMES: Final = ("https", "http", "syslog+tls", "syslog+tcp", "syslog+udp", "file")
PORTS: Final = {
    "https": 443,
    "http": 80,
    "syslog+tls": 6514,  # RFC 5425
    "syslog+tcp": 601,  # RFC 6587
    "syslog+udp": 514,  # RFC 5426
    "file": 0,
}
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class BadTarget(ValueError):
    """A target of the setting cannot be used; the message says why, without secrets."""


@dataclass(frozen=True)
class Target:
    """One system that gets the trail.

    Args:
        name: what the cursor is kept under, and what logs and pages show.
        scheme: one of `SCHEMES`.
        host: whom to connect to; empty for a file.
        port: where.
        path: of the file, or of the address with the part of the query that is the
            target's own.
        rendering: how events are written.
        batch: events of one delivery at most.
        authorization: where the value of the header is: `env:NAME` or `file:PATH`.
    """

    name: str
    scheme: str
    host: str
    port: int
    path: str
    rendering: str
    batch: int = BATCH
    authorization: str = ""

    def secret(self) -> str:
        """Read the value of the authorization header; empty when there is none.

        Raises:
            BadTarget: it is not where the target says.
        """
        kind, _, place = self.authorization.partition(":")
        if not kind:
            return ""
        try:
            found = (
                os.environ[place] if kind == "env" else Path(place).read_text("utf-8")
            )
        except (KeyError, OSError, UnicodeDecodeError) as error:
            raise BadTarget(
                f"The authorization of {self.name} is not in {self.authorization}."
            ) from error
        secret = found.strip()
        if not (secret.isascii() and secret.isprintable()):
            raise BadTarget(f"{self.authorization} holds no single line of ASCII.")
        return secret


def configured_targets() -> list[Target]:
    """List the targets of the setting.

    Raises:
        BadTarget: one of them cannot be used, or two have the same name.
    """
    targets = [target_of(url) for url in settings.AUDIT_STREAMS]
    names = [target.name for target in targets]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise BadTarget(
            f"Two targets of AUDIT_STREAMS are called {twice}: add &name= to one."
        )
    return targets


def target_named(name: str) -> Target:
    """Find a target of the setting.

    Raises:
        BadTarget: there is none of this name.
    """
    for target in configured_targets():
        if target.name == name:
            return target
    raise BadTarget(f"AUDIT_STREAMS has no target called {name}.")


def target_of(url: str) -> Target:
    """Read one target.

    Args:
        url: scheme, host, path, and in the query `format`, and where wanted `name`,
            `batch` and `authorization`; the rest of the query is the target's own.

    Raises:
        BadTarget: it cannot be used.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise BadTarget(
            f"A target of AUDIT_STREAMS must begin with one of "
            f"{', '.join(f'{scheme}://' for scheme in SCHEMES)} and name a host."
        ) from error
    place = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"
    query = parse_qsl(parts.query, keep_blank_values=True)
    own = dict(query)
    path = unquote(parts.path) if parts.scheme == "file" else parts.path
    rest = [(name, value) for name, value in query if name not in _OPTIONS]
    target = Target(
        name=own.get("name", place)[:MAX_NAME],
        scheme=parts.scheme,
        host=host,
        port=port,
        path=path + (f"?{urlencode(rest)}" if rest else ""),
        rendering=own.get("format", "plain"),
        batch=_batch(own.get("batch", str(BATCH)), place),
        authorization=own.get("authorization", ""),
    )
    if fault := _fault(target, has_password=parts.password is not None):
        raise BadTarget(f"{place} in AUDIT_STREAMS {fault}")
    return target


_OPTIONS: Final = ("format", "name", "batch", "authorization")


def _batch(text: str, place: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_BATCH:
        return int(text)
    raise BadTarget(f"{place} in AUDIT_STREAMS: batch must be from 1 to {MAX_BATCH}.")


def _fault(target: Target, *, has_password: bool) -> str:
    if has_password:
        return "has a password in it: use authorization=file: or env: instead."
    if target.rendering not in RENDERINGS:
        return f"must have a format of {', '.join(RENDERINGS)}."
    if target.scheme == "file":
        is_absolute = target.path.startswith("/") and not target.host
        return "" if is_absolute else "must be an absolute path: file:///…"
    if not target.host:
        return "names no host."
    if target.scheme == "http" and target.host not in LOOPBACK:
        return "would send the trail in clear: use https."
    known = target.authorization.startswith(("env:", "file:"))
    if target.authorization and not known:
        return "must say authorization=env:NAME or authorization=file:PATH."
    return ""
