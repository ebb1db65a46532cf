"""The audit trail: events, the tree that seals them, and what lies around."""

from apps.audit.models.anchors import (
    Cosignature,
    Publication,
    PublicationState,
    Timestamp,
)
from apps.audit.models.events import (
    AuditEvent,
    AuditEventManager,
    AuditEventQuerySet,
)
from apps.audit.models.filters import (
    SavedFilter,
    SavedFilterQuerySet,
)
from apps.audit.models.people import (
    Disclosure,
    DisclosureQuerySet,
    Words,
)
from apps.audit.models.streams import (
    StreamPosition,
    StreamPositionQuerySet,
)
from apps.audit.models.tree import (
    Checkpoint,
    Head,
    Key,
    Leaf,
    Tile,
)

__all__ = [
    "AuditEvent",
    "AuditEventManager",
    "AuditEventQuerySet",
    "Checkpoint",
    "Cosignature",
    "Disclosure",
    "DisclosureQuerySet",
    "Head",
    "Key",
    "Leaf",
    "Publication",
    "PublicationState",
    "SavedFilter",
    "SavedFilterQuerySet",
    "StreamPosition",
    "StreamPositionQuerySet",
    "Tile",
    "Timestamp",
    "Words",
]
