"""A sealed trail inside the transaction of a test, and exports of it."""

from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent, Checkpoint, Head, Key, Leaf
from apps.audit.queries import AuditFilter
from apps.audit.record import record
from apps.audit.sealer import HEAD_ID, signed
from apps.audit.stored_tree import grow, root_of
from apps.audit.transparency.note import Signer
from apps.exports import actions
from apps.exports.models import AuditExport, ExportForm
from apps.exports.tasks import write_export
from apps.exports.wish import Wish

ORIGIN = "test.example/audit/1"
SIGNER = Signer(Signer.generate(ORIGIN, bytes(range(32))))


def seal_everything() -> int:
    """Seal what is recorded as the sealer would, and give the size of the tree."""
    head, _ = Head.objects.get_or_create(pk=HEAD_ID)
    events = list(AuditEvent.objects.filter(leaf=None).order_by("pk"))
    if not events:
        return head.size
    Leaf.objects.bulk_create(
        Leaf(leaf_index=head.size + place, event=event)
        for place, event in enumerate(events)
    )
    grow(head, [bytes(event.leaf_hash) for event in events])
    head.save()
    root = root_of(head, head.size)
    note = signed(head.size, root, [SIGNER])
    Checkpoint.objects.create(size=head.size, root=root, note=note)
    Key.objects.get_or_create(vkey=SIGNER.vkey, defaults={"from_size": head.size})
    return head.size


def wish(form="csv", **asked) -> Wish:
    """What somebody asks for; other names than options are of the filter."""
    options = {
        name: asked.pop(name)
        for name in ("with_names", "with_byte_order_mark")
        if name in asked
    }
    return Wish(ExportForm(form), AuditFilter(**asked), **options)


def requested(by, form="csv", **asked) -> AuditExport:
    """An export that waits for a worker."""
    if not Checkpoint.objects.exists():
        seal_everything()
    return actions.request_export(wish=wish(form, **asked), by=by)


def written(by, form="csv", **asked) -> AuditExport:
    """An export that a worker has ended."""
    export = requested(by, form, **asked)
    write_export(pk=str(export.pk))
    export.refresh_from_db()
    return export


def content_of(export: AuditExport) -> bytes:
    """The bytes of its file."""
    file = actions.download_export(export=export, by=export.asked_by)
    with actions.blobs.open_blob(file.sha256, shelf=file.shelf) as stored:
        return stored.read()


def large_event(by) -> AuditEvent:
    """An event whose changes are too large for its body."""
    changes = {"text": "long " * 20_000}
    return record(
        EventType.ACCOUNT_EDITED, target=by, project=None, by=by, changes=changes
    )
