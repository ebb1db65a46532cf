"""One segment as large as they are: 65,536 events, from the record to the removal."""

import io
import json
import zipfile

from apps.accounts.actions import service_account
from apps.audit.inspection import inspect
from apps.audit.models import AuditEvent, Head, Key, Leaf, Tile
from apps.audit.retention import actions
from apps.audit.transparency.archive import verify_archive
from apps.audit.transparency.pruning import SEGMENT_LEAVES
from apps.core import blobs
from tests.audit.retention.trails import (
    after_the_grace,
    agreed,
    happen_at_once,
    years_ago,
)
from tests.audit.sealing import bundle, newest, sealer_in
from tests.audit.transparency.exports import command

AT_ONCE = 2048


def test_a_real_segment_goes_and_everything_after_it_is_proved(two, tmp_path):
    with years_ago(4):
        for _ in range(SEGMENT_LEAVES // AT_ONCE):
            happen_at_once(AT_ONCE)
        happen_at_once(300)
    sealer = sealer_in(tmp_path, batch=20_000)
    while sealer.seal():
        pass
    size, root = newest(sealer)

    segment = actions.archive_segment(number=0, by=service_account())
    sealer.seal()
    prune = agreed(sealer, segment, two)
    with after_the_grace():
        actions.prune_segment(prune=prune, by=service_account())
    sealer.seal()

    assert not Leaf.objects.filter(pk__lt=SEGMENT_LEAVES).exists()
    assert Tile.objects.filter(level=0).count() == (Head.objects.get().size >> 8) - 256
    assert Tile.objects.filter(level=1, index=0).exists()
    assert [flaw for piece in inspect() for flaw in piece] == []
    with blobs.open_blob(segment.archive_sha256) as stored:
        verify_archive(stored, span=range(SEGMENT_LEAVES), root=bytes(segment.root))
    content = bundle(with_names=True)
    file = zipfile.ZipFile(io.BytesIO(content))
    told = json.loads(file.read("pruned.json"))
    assert told["minimum_index"] == SEGMENT_LEAVES
    assert "segments/000000.jsonl" not in file.namelist()
    assert "segments/000001.jsonl" in file.namelist()
    assert "tile/1/000" in file.namelist()
    assert AuditEvent.objects.count() < 1000
    assert (size, root) != newest(sealer)
    (tmp_path / "kept").write_bytes(file.read("checkpoint"))
    (tmp_path / "export.zip").write_bytes(content)
    with blobs.open_blob(segment.archive_sha256) as stored:
        (tmp_path / "archive.zip").write_bytes(stored.read())
    trust = ("--log-key", Key.objects.get().vkey, "--kept", tmp_path / "kept")
    alone = command("bundle", tmp_path / "export.zip", *trust)
    whole = command(
        "bundle", tmp_path / "export.zip", *trust, "--archive", tmp_path / "archive.zip"
    )
    for (code, answer), is_verified in ((alone, False), (whole, True)):
        assert (code, answer["findings"]) == (0, [])
        assert answer["pruned"][0]["is_verified"] is is_verified
