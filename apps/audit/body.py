"""The canonical text of an event, its hash and its seal until the tree has it.

The text is kept as it was written: what is hashed, exported and verified is these
bytes. The columns beside it are a view for filters, and the sealer holds both equal.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.conf import settings

from apps.audit.transparency.tree import leaf_hash

if TYPE_CHECKING:
    from apps.audit.models import AuditEvent

BODY_VERSION: Final = 1
MAX_BODY_BYTES: Final = 65_535  # of one entry, C2SP tlog-tiles
MAX_INTEGER: Final = 2**53 - 1  # exact in every JSON reader, RFC 8785
# What pages read of a body besides the columns.
_TOLD: Final = {"reason", "name", "roles", "path", "channel"}
_MAC_PURPOSE: Final = b"mlops-portal audit event mac v1"
# The columns that repeat the text, in the order of `columns_of`.
COLUMNS: Final = (
    "event_id",
    "at",
    "type",
    "outcome",
    "actor_id",
    "target_type",
    "target_id",
    "project_id",
    "request_id",
)


def text_of(facts: dict[str, Any]) -> tuple[str, str]:
    """Write the canonical text of an event.

    Args:
        facts: the body, with portable values only.

    Returns:
        The text: JSON with sorted keys and without spaces, floats or integers above
        2**53 - 1; inside these limits it is byte for byte what RFC 8785 asks. Beside it
        the text of the changes when they are too large for one entry, which then
        has their SHA-256 only; else nothing.
    """
    text = canonical(facts)
    if len(text.encode()) <= MAX_BODY_BYTES:
        return text, ""
    changes = canonical(facts["changes"])
    digest = sha256(changes.encode()).hexdigest()
    rest = {name: value for name, value in facts.items() if name != "changes"}
    return canonical(rest | {"changes_sha256": digest}), changes


def canonical(value: Any) -> str:
    """Write portable values in the one spelling that is hashed."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def columns_of(facts: dict[str, Any]) -> tuple[str, ...]:
    """Give what the columns must say of this body, as text, in the order of `COLUMNS`.

    Raises:
        KeyError, TypeError: it is no body of an event.
    """
    return (
        facts["id"],
        facts["time"],
        facts["action"],
        facts["outcome"],
        facts["actor"]["id"],
        facts["object"]["type"],
        facts["object"]["id"],
        facts["scope"]["project"],
        facts["request"]["id"],
    )


def facts_in(text: str) -> dict[str, Any] | None:
    """Read a body; None when it is not one, as nobody but a tamperer writes it."""
    try:
        facts = orjson.loads(text)
        columns_of(facts)
        told = (*facts["actor"], *facts["object"], *facts["scope"], *facts["source"])
        is_whole = {*facts, *told} >= _TOLD
    except (KeyError, TypeError, orjson.JSONDecodeError):
        return None
    return facts if is_whole else None


def facts_beside(event: AuditEvent) -> dict[str, Any]:
    """Tell of an event whose text cannot be read what its columns say."""
    unknown = dict.fromkeys(("name", "path", "channel", "host", "route"), "")
    return {
        "changes": [],
        "reason": "The text of this event cannot be read: it was tampered with.",
        "actor": {"id": str(event.actor_id), "type": "", "roles": [], **unknown},
        "object": {"id": event.target_id, "type": event.target_type, **unknown},
        "scope": {"project": str(event.project_id or ""), **unknown},
        "source": unknown,
        "request": {"id": event.request_id, **unknown},
    }


def hash_of(body: str) -> bytes:
    """Hash the text of an event as a leaf of the tree."""
    return leaf_hash(body.encode())


def mac_of(leaf: bytes) -> bytes:
    """Seal a leaf with the application's key, which the database does not know."""
    return hmac.digest(mac_key(), leaf, "sha256")


def mac_key_id() -> int:
    """Name the present key, in 15 bits, without giving it away."""
    return int.from_bytes(sha256(mac_key()).digest()[:2], "big") >> 1


def flaw_of(event: AuditEvent) -> str:
    """Say what is wrong with an event that waits to be sealed; empty when nothing."""
    if flaw := flaw_inside(event):
        return flaw
    return "" if has_our_mac(event) else "its MAC is not of this portal's key"


def flaw_inside(event: AuditEvent) -> str:
    """Say in what an event contradicts itself; empty when in nothing.

    The MAC is not asked: its key may have changed since the event was sealed.
    """
    if hash_of(event.body) != bytes(event.leaf_hash):
        return "its text does not fit its hash"
    try:
        facts = orjson.loads(event.body)
        if canonical(facts) != event.body:
            return "its text is not in canonical spelling"
        if columns_of(facts) != _stored_columns(event):
            return "its columns say something else than its text"
    except (KeyError, TypeError, orjson.JSONDecodeError):
        return "its text is not that of an event"
    payload = sha256(event.payload.encode()).hexdigest() if event.payload else None
    if facts.get("changes_sha256") != payload:
        return "its changes are not those of its text"
    return ""


def has_our_mac(event: AuditEvent) -> bool:
    """Say whether the application, not the database alone, wrote this event."""
    ours = mac_of(bytes(event.leaf_hash))
    return event.mac_kid == mac_key_id() and hmac.compare_digest(bytes(event.mac), ours)


def time_text(moment: datetime) -> str:
    """Write a moment in UTC with six digits (RFC 3339)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def portable(value: Any) -> Any:
    """Write JSON values so that every reader understands the same.

    Names are data here, so a dictionary becomes a list of `{"name", "value"}` in the
    order of the names. A number that is not exact everywhere becomes text.
    """
    if isinstance(value, dict):
        named = sorted((str(name), inner) for name, inner in value.items())
        return [{"name": name, "value": portable(inner)} for name, inner in named]
    if isinstance(value, list | tuple):
        return [portable(inner) for inner in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if value == int(value) and abs(value) <= MAX_INTEGER:
        return int(value)
    return repr(float(value))


def named(value: Any) -> Any:
    """Turn what `portable` wrote back: a list of names and values to a dictionary."""
    if not isinstance(value, list):
        return value
    if value and all(_is_pair(inner) for inner in value):
        return {inner["name"]: named(inner["value"]) for inner in value}
    return [named(inner) for inner in value]


def _is_pair(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"name", "value"}


def _stored_columns(event: AuditEvent) -> tuple[str, ...]:
    return (
        str(event.event_id),
        time_text(event.at),
        event.type,
        event.outcome,
        str(event.actor_id),
        event.target_type,
        event.target_id,
        str(event.project_id or ""),
        event.request_id,
    )


def mac_key() -> bytes:
    """Derive the key under which the application seals a leaf."""
    secret = settings.AUDIT_MAC_KEY or settings.SECRET_KEY
    return hmac.digest(secret.encode(), _MAC_PURPOSE, "sha256")
