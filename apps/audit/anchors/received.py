"""What the anchors gave back, as an export carries it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from django.conf import settings

from apps.audit.anchors.addresses import InvalidAddress, anchors_of
from apps.audit.anchors.timestamp import TimestampAuthority
from apps.audit.models import Cosignature, Timestamp

MAX_TOKENS: Final = 5000


def cosigned(notes: Mapping[int, str], origin: str) -> dict[int, str]:
    """Put the newest line of each witness below checkpoints, given by their size."""
    lines: dict[int, dict[str, str]] = {}
    found = Cosignature.objects.filter(origin=origin, size__in=notes)
    for one in found.order_by("id"):
        lines.setdefault(one.size, {})[one.key_name] = one.line
    return {
        size: note + "".join(lines.get(size, {}).values())
        for size, note in notes.items()
    }


def cosigned_size(size: int, origin: str) -> int:
    """Find the largest cosigned checkpoint up to `size`; 0 when there is none."""
    sizes = Cosignature.objects.filter(origin=origin, size__lte=size)
    return sizes.order_by("-size").values_list("size", flat=True).first() or 0


def tokens(size: int, origin: str) -> dict[int, bytes]:
    """Give the time stamps of checkpoints up to `size`, one for each."""
    found = Timestamp.objects.filter(origin=origin, size__lte=size)
    newest = found.order_by("-size", "-id")[:MAX_TOKENS]
    return {one.size: bytes(one.token) for one in newest}


def authority_certificates() -> str:
    """Read the certificates of the time-stamping authorities, where they lie here."""
    return "".join(_certificates())


def _certificates() -> Iterator[str]:
    try:
        anchors = anchors_of(settings.AUDIT_ANCHORS)
    except InvalidAddress:
        return
    for anchor in anchors:
        if isinstance(anchor, TimestampAuthority) and anchor.certificates.is_file():
            yield anchor.certificates.read_text()
