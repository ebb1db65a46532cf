"""Lists of events to read and to count with: JSON Lines and CSV."""

from __future__ import annotations

import csv
import io
from typing import IO, Any, Final

import orjson

from apps.audit.body import named
from apps.audit.evidence import Tell
from apps.audit.exports.chosen import Chosen, SealedEvent, commitments_of
from apps.audit.models import Checkpoint
from apps.audit.transparency.bundle import checkpoint_of
from apps.core.csv_cells import guarded

BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
COLUMNS: Final = (
    "leaf_index",
    "event_id",
    "leaf_hash",
    "at",
    "type",
    "outcome",
    "severity",
    "actor_id",
    "actor_label",
    "actor_kind",
    "actor_roles",
    "target_type",
    "target_id",
    "target_label",
    "target_path",
    "project_id",
    "project_label",
    "changes",
    "reason",
    "channel",
    "request_id",
)


def write_json_lines(
    target: IO[bytes], chosen: Chosen, checkpoint: Checkpoint, tell: Tell
) -> int:
    """Write one event a line, then a line that says what was asked for.

    Each line has the event as it was sealed, its hash and its place in the tree. The
    last one lets `auditverify.py bundle --recheck-filter` ask the same of a bundle.

    Returns:
        The number of events.
    """
    count = 0
    for count, event in enumerate(chosen.read(tell), start=1):  # noqa: B007
        target.write(_json_line(event))
    last = {
        "checkpoint": checkpoint.note,
        "count": count,
        "filter": chosen.stated(),
        "root": checkpoint_of(checkpoint.note).root.hex(),
        "size": checkpoint.size,
    }
    target.write(orjson.dumps(last) + b"\n")
    return count


def write_csv(
    target: IO[bytes], chosen: Chosen, tell: Tell, *, with_mark: bool = False
) -> int:
    """Write one event a row; no cell can act as a formula.

    Args:
        target: open for writing.
        chosen: the events.
        tell: called with the number of rows so far.
        with_mark: begin with a byte order mark, by which Excel knows UTF-8.

    Returns:
        The number of events.
    """
    text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=False)
    text.write(BYTE_ORDER_MARK if with_mark else "")
    writer, count = csv.writer(text), 0
    writer.writerow(COLUMNS)
    for count, event in enumerate(chosen.read(tell), start=1):  # noqa: B007
        writer.writerow(_guarded(_row(event)))
    text.flush()
    text.detach()
    return count


def _json_line(event: SealedEvent) -> bytes:
    """Write a line around the body, which stays byte for byte what it is."""
    beside: dict[str, Any] = {
        "event_id": str(event.event_id),
        "leaf_hash": event.leaf_hash.hex(),
        "leaf_index": event.leaf_index,
    }
    if event.names is not None:
        spoken = {*commitments_of(event.body)} & event.names.keys()
        beside["names"] = {one: event.names[one] for one in sorted(spoken)}
    rest = orjson.dumps(beside)[1:]
    return b'{"body":' + _whole(event.body) + b"," + rest + b"\n"


def _whole(body: str) -> bytes:
    """Give a body as JSON: itself, or a text when somebody made it something else."""
    try:
        orjson.loads(body)
        is_one_line = "\n" not in body
    except orjson.JSONDecodeError:
        is_one_line = False
    return body.encode() if is_one_line else orjson.dumps(body)


def _row(event: SealedEvent) -> tuple[Any, ...]:
    told = event.told
    actor, target, scope = told["actor"], told["object"], told["scope"]
    return (
        str(event.leaf_index),
        str(event.event_id),
        event.leaf_hash.hex(),
        told.get("time", ""),
        told.get("action", ""),
        told.get("outcome", ""),
        str(told.get("severity", "")),
        actor["id"],
        actor["name"],
        actor["type"],
        actor["roles"],
        target["type"],
        target["id"],
        target["name"],
        target["path"],
        scope["project"],
        scope["name"],
        _changes(told),
        told["reason"],
        told["source"]["channel"],
        told["request"]["id"],
    )


def _changes(told: dict[str, Any]) -> Any:
    """Give the changes, or the digest of those that are too large for a cell."""
    if "changes_sha256" in told:
        return {"sha256": told["changes_sha256"]}
    return named(told["changes"]) or {}


def _guarded(row: tuple[Any, ...]) -> list[str]:
    """Write the cells as text, none of which begins as a formula does."""
    texts = [
        value if isinstance(value, str) else orjson.dumps(value).decode()
        for value in row
    ]
    return [guarded(text) for text in texts]
