"""CloudEvents 1.0, the JSON form of one event."""

from typing import Any, Final

from apps.audit.renderings.entry import Entry, filled, text_in
from apps.audit.renderings.plain import plain

VERSION: Final = "1.0"


def cloudevents(entry: Entry) -> dict[str, Any]:
    """Wrap our own form into an envelope.

    `source` and `id` together are the same whenever an event is sent again. Names of
    extensions have letters and digits only; the index is text, since an integer of
    CloudEvents ends at 2**31.
    """
    thing = entry.part("object")
    subject = "/".join(filter(None, [text_in(thing, "type"), text_in(thing, "id")]))
    envelope = {
        "specversion": VERSION,
        "id": text_in(entry.facts, "id") or f"leaf-{entry.leaf_index}",
        "source": entry.origin,
        "type": entry.action or "unreadable",
        "subject": subject,
        "time": entry.time,
        "datacontenttype": "application/json",
        "leafindex": str(entry.leaf_index),
        "leafhash": entry.leaf_hash,
    }
    return filled(envelope) | {"data": plain(entry)}
