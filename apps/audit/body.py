"""The canonical text of an event, its hash and its seal until the tree has it.

The text is kept as it was written: what is hashed, exported and verified is these
bytes. The columns beside it are a view for filters, and the sealer holds both equal.
"""

from __future__ import annotations

import hmac
import json
from datetime import UTC
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from apps.audit.transparency.tree import leaf_hash

if TYPE_CHECKING:
    from apps.audit.models import AuditEvent

BODY_VERSION: Final = 1
MAX_BODY_BYTES: Final = 65_535  # of one entry, C2SP tlog-tiles
MAX_INTEGER: Final = 2**53 - 1  # exact in every JSON reader, RFC 8785
_MAC_PURPOSE: Final = b"mlops-portal audit event mac v1"


def body_of(event: AuditEvent) -> str:
    """Write the canonical text of an event from its columns.

    Returns:
        JSON with sorted keys and without spaces, floats or integers above 2**53 - 1;
        inside these limits it is byte for byte what RFC 8785 asks. Changes too large
        for one entry are replaced by their SHA-256.
    """
    body = _facts(event)
    text = canonical(body)
    if len(text.encode()) > MAX_BODY_BYTES:
        changes = canonical(body.pop("changes")).encode()
        text = canonical(body | {"changes_sha256": sha256(changes).hexdigest()})
    return text


def canonical(value: Any) -> str:
    """Write portable values in the one spelling that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


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
    if body_of(event) != event.body:
        return "its columns say something else than its text"
    return ""


def has_our_mac(event: AuditEvent) -> bool:
    """Say whether the application, not the database alone, wrote this event."""
    ours = mac_of(bytes(event.leaf_hash))
    return event.mac_kid == mac_key_id() and hmac.compare_digest(bytes(event.mac), ours)


def mac_key() -> bytes:
    """Derive the key under which the application seals a leaf."""
    secret = settings.AUDIT_MAC_KEY or settings.SECRET_KEY
    return hmac.digest(secret.encode(), _MAC_PURPOSE, "sha256")


def _facts(event: AuditEvent) -> dict[str, Any]:
    return {
        "v": BODY_VERSION,
        "id": str(event.event_id),
        "time": event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "action": str(event.type),
        "outcome": _outcome(event.type),
        "actor": {
            "id": str(event.actor_id),
            "name": event.actor_label,
            "roles": event.actor_roles,
            "type": event.actor_kind,
        },
        "object": {
            "id": event.target_id,
            "name": event.target_label,
            "path": event.target_path,
            "type": event.target_type,
        },
        "scope": {
            "project": str(event.project_id or ""),
            "name": event.project_label,
        },
        "request": {"channel": event.channel, "id": event.request_id},
        "changes": portable(event.changes),
        "reason": event.reason,
    }


def _outcome(event_type: str) -> str:
    if event_type == "access.refused":
        return "denied"
    return "failure" if event_type.endswith("failed") else "success"


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
