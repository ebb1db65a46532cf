"""Open Cybersecurity Schema Framework 1.8.0, without profiles.

Source: the schema of release 1.8.0: base_event, iam, application and the objects they
name. What a class requires and we do not have stands as `unknown`; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from apps.audit.renderings.entry import (
    BEGINNING,
    PRODUCT,
    Entry,
    commitment_in,
    filled,
    number_in,
    text_in,
    texts_in,
)
from apps.audit.renderings.places import (
    ACCOUNT_CHANGE,
    API_ACTIVITY,
    AUTHENTICATION,
    BASE_EVENT,
    DATASTORE_ACTIVITY,
    ENTITY_MANAGEMENT,
    OTHER,
    USER_ACCESS,
    place_of,
)

VERSION: Final = "1.8.0"
UNKNOWN: Final = "unknown"
_ACCOUNT: Final = "accounts.user"
_SUCCESS, _FAILURE, _UNKNOWN_STATUS = 1, 2, 0
_STATUS: Final = {
    "success": _SUCCESS,
    "failure": _FAILURE,
    "denied": _FAILURE,
    "error": _FAILURE,
}
_USER_TYPES: Final = {"person": 1, "service": 4}
_DATABUCKET: Final = 2
# Under these names a change says whom it is about, and what was given or taken.
_SUBJECTS: Final = ("person", "member")
_PRIVILEGES: Final = ("role", "agency_roles", "roles")


def ocsf(entry: Entry) -> dict[str, Any]:
    """Render an event as the OCSF class that `places` gives it."""
    place = place_of(entry.action)
    outcome = text_in(entry.facts, "outcome")
    return filled(
        {
            "message": entry.summary,
            "metadata": _metadata(entry),
            "severity_id": number_in(entry.facts, "severity", 0),
            "status_id": _STATUS.get(outcome, _UNKNOWN_STATUS),
            "status_code": outcome,
            "status_detail": text_in(entry.facts, "reason"),
            "time": _milliseconds(entry.time),
            "timezone_offset": 0,
            "activity_name": entry.action if place.activity_id == OTHER else "",
            "category_uid": place.class_uid // 1000,
            "class_uid": place.class_uid,
            "activity_id": place.activity_id,
            "type_uid": place.class_uid * 100 + place.activity_id,
            **_OF_CLASS[place.class_uid](entry),
            "unmapped": _unmapped(entry),
        }
    )


def _metadata(entry: Entry) -> dict[str, Any]:
    event_id = text_in(entry.facts, "id") or f"{entry.origin}#{entry.leaf_index}"
    return {
        "version": VERSION,
        "product": {"name": PRODUCT, "vendor_name": PRODUCT},
        "uid": event_id,
        "original_event_uid": event_id,
        "original_time": text_in(entry.facts, "time"),
        "correlation_uid": text_in(entry.part("request"), "id"),
        "event_code": entry.action,
        "log_name": entry.origin,
        "log_version": str(number_in(entry.facts, "v", 0)),
        "sequence": entry.leaf_index,
        "is_truncated": entry.is_short or None,
    }


def _milliseconds(time: str) -> int:
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        moment = datetime.fromisoformat(BEGINNING)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def _actor(entry: Entry) -> dict[str, Any]:
    actor = entry.part("actor")
    kind = text_in(actor, "type")
    return {
        "uid": text_in(actor, "id") or UNKNOWN,
        "name": text_in(actor, "name"),
        "type": kind,
        "type_id": _USER_TYPES.get(kind, OTHER),
    }


def _account(entry: Entry) -> dict[str, Any]:
    """The account that something was done to; the actor's own when it names none."""
    thing = entry.part("object")
    if text_in(thing, "type") != _ACCOUNT:
        return _actor(entry)
    uid = text_in(thing, "id") or commitment_in(thing, "name") or UNKNOWN
    return {"uid": uid, "name": text_in(thing, "name")}


def _changed(entry: Entry, names: tuple[str, ...]) -> list[Any]:
    changes = entry.facts.get("changes")
    return [
        change.get("value")
        for change in (changes if isinstance(changes, list) else [])
        if isinstance(change, dict) and change.get("name") in names
    ]


def _subject(entry: Entry) -> dict[str, Any]:
    """Whose access changed: where only a commitment tells, it stands as the uid."""
    if text_in(entry.part("object"), "type") == _ACCOUNT:
        return _account(entry)
    found = [commitment_in({"it": value}, "it") for value in _changed(entry, _SUBJECTS)]
    return {"uid": next(filter(None, found), UNKNOWN)}


def _privileges(entry: Entry) -> list[str]:
    """The roles that changed hands: those after it, else those before it."""
    sides = [value for value in _changed(entry, _PRIVILEGES) if isinstance(value, list)]
    for side in reversed([inner for pair in sides for inner in pair]):
        if side:
            return side if isinstance(side, list) else [str(side)]
    return [entry.action]


def _resource(entry: Entry) -> dict[str, Any]:
    thing = entry.part("object")
    return {
        "uid": text_in(thing, "id") or UNKNOWN,
        "name": text_in(thing, "name"),
        "type": text_in(thing, "type"),
    }


def _http(entry: Entry) -> dict[str, Any]:
    return {"uid": text_in(entry.part("request"), "id")}


def _iam(entry: Entry) -> dict[str, Any]:
    return {"actor": {"user": _actor(entry)}, "http_request": _http(entry)}


def _application(entry: Entry) -> dict[str, Any]:
    source = entry.part("source")
    return _iam(entry) | {
        "src_endpoint": {"svc_name": text_in(source, "channel") or UNKNOWN},
        "dst_endpoint": {"svc_name": PRODUCT, "hostname": text_in(source, "host")},
    }


def _authentication(entry: Entry) -> dict[str, Any]:
    return _iam(entry) | {"user": _account(entry), "service": {"name": PRODUCT}}


def _account_change(entry: Entry) -> dict[str, Any]:
    return _iam(entry) | {"user": _account(entry)}


def _user_access(entry: Entry) -> dict[str, Any]:
    return _iam(entry) | {
        "user": _subject(entry),
        "privileges": _privileges(entry),
        "resources": [filled(_resource(entry))],
    }


def _entity_management(entry: Entry) -> dict[str, Any]:
    return _iam(entry) | {
        "entity": {**_resource(entry), "type_id": OTHER},
        "comment": text_in(entry.facts, "reason"),
    }


def _api_activity(entry: Entry) -> dict[str, Any]:
    operation = text_in(entry.part("request"), "route") or entry.action
    return _application(entry) | {
        "api": {"operation": operation, "request": _http(entry)},
        "resources": [filled(_resource(entry))],
    }


def _datastore_activity(entry: Entry) -> dict[str, Any]:
    return _application(entry) | {
        "databucket": {**_resource(entry), "type_id": OTHER},
        "type_id": _DATABUCKET,
    }


def _base_event(entry: Entry) -> dict[str, Any]:
    return {"raw_data": entry.text}


_OF_CLASS: Final[dict[int, Callable[[Entry], dict[str, Any]]]] = {
    BASE_EVENT: _base_event,
    ACCOUNT_CHANGE: _account_change,
    AUTHENTICATION: _authentication,
    ENTITY_MANAGEMENT: _entity_management,
    USER_ACCESS: _user_access,
    API_ACTIVITY: _api_activity,
    DATASTORE_ACTIVITY: _datastore_activity,
}


def _unmapped(entry: Entry) -> dict[str, Any]:
    actor, thing, scope = (entry.part(name) for name in ("actor", "object", "scope"))
    return {
        "leaf_index": entry.leaf_index,
        "leaf_hash": entry.leaf_hash,
        "actor_name_commitment": commitment_in(actor, "name"),
        "actor_roles": texts_in(actor, "roles"),
        "object_name_commitment": commitment_in(thing, "name"),
        "object_path": text_in(thing, "path"),
        "project_id": text_in(scope, "project"),
        "project_name": text_in(scope, "name"),
        "channel": text_in(entry.part("source"), "channel"),
        "changes": entry.changes,
        "changes_sha256": text_in(entry.facts, "changes_sha256"),
    }
