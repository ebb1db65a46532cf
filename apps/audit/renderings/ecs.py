"""Elastic Common Schema 9.4.

Source: the field reference of ECS 9.4.0; our own fields stand below `mlops_portal`,
as it asks for custom ones.
"""

from typing import Any, Final

from apps.audit.renderings.entry import (
    PRODUCT,
    Entry,
    commitment_in,
    filled,
    number_in,
    text_in,
    texts_in,
)
from apps.audit.renderings.places import place_of

VERSION: Final = "9.4.0"
_OUTCOMES: Final = {
    "success": "success",
    "failure": "failure",
    "denied": "failure",
    "error": "failure",
}


def ecs(entry: Entry) -> dict[str, Any]:
    """Render an event for a collector that speaks ECS."""
    return filled(
        {
            "@timestamp": entry.time,
            "ecs": {"version": VERSION},
            "message": entry.summary,
            "event": _event(entry),
            "user": _user(entry),
            "http": {"request": {"id": text_in(entry.part("request"), "id")}},
            "host": {"name": text_in(entry.part("source"), "host")},
            "service": {"name": PRODUCT, "type": "mlops-portal"},
            "mlops_portal": _own(entry),
        }
    )


def _event(entry: Entry) -> dict[str, Any]:
    facts = entry.facts
    place = place_of(entry.action)
    outcome = text_in(facts, "outcome")
    is_denied = outcome == "denied" and place.category == "api"
    return {
        "id": text_in(facts, "id"),
        "kind": "event",
        "action": entry.action,
        "category": [place.category],
        "type": [*place.types, "denied"] if is_denied else list(place.types),
        "outcome": _OUTCOMES.get(outcome, "unknown"),
        "reason": text_in(facts, "reason"),
        "severity": number_in(facts, "severity", 0),
        "sequence": entry.leaf_index,
        "hash": entry.leaf_hash,
        "module": "mlops_portal",
        "dataset": "mlops_portal.audit",
        "provider": entry.origin,
    }


def _user(entry: Entry) -> dict[str, Any]:
    actor, thing = entry.part("actor"), entry.part("object")
    is_account = text_in(thing, "type") == "accounts.user"
    return {
        "id": text_in(actor, "id"),
        "name": text_in(actor, "name"),
        "roles": texts_in(actor, "roles"),
        "target": {"id": text_in(thing, "id")} if is_account else {},
    }


def _own(entry: Entry) -> dict[str, Any]:
    actor, thing, scope = (entry.part(name) for name in ("actor", "object", "scope"))
    return {
        "leaf_index": entry.leaf_index,
        "leaf_hash": entry.leaf_hash,
        "origin": entry.origin,
        "is_truncated": entry.is_short or None,
        "text": "" if entry.facts else entry.text,
        "outcome": text_in(entry.facts, "outcome"),
        "channel": text_in(entry.part("source"), "channel"),
        "route": text_in(entry.part("request"), "route"),
        "actor": {
            "type": text_in(actor, "type"),
            "name_commitment": commitment_in(actor, "name"),
        },
        "object": {
            "type": text_in(thing, "type"),
            "id": text_in(thing, "id"),
            "name": text_in(thing, "name"),
            "name_commitment": commitment_in(thing, "name"),
            "path": text_in(thing, "path"),
        },
        "project": {"id": text_in(scope, "project"), "name": text_in(scope, "name")},
        "changes": entry.changes,
        "changes_sha256": text_in(entry.facts, "changes_sha256"),
    }
