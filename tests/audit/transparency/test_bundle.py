import io
import zipfile
from hashlib import sha256

import pytest

from apps.audit.transparency import bundle
from apps.audit.transparency.bundle import Contents, write_bundle
from tests.audit.transparency.exports import Log, bodies, restate


def test_bundle_holds_events_byte_for_byte(tmp_path):
    log = Log(bodies(700))

    folder = log.exported(tmp_path, earlier=[1, 256])

    lines = (folder / "segments" / "000000.jsonl").read_text().splitlines()
    names = {str(path.relative_to(folder)) for path in folder.rglob("*.*")}
    assert lines == log.events
    assert (folder / "checkpoint").read_text() == log.checkpoint()
    assert (folder / "checkpoints" / "256").read_text() == log.checkpoint(256)
    assert (folder / "tile" / "0" / "002.p" / "188").stat().st_size == 188 * 32
    assert {"VERIFY.md", "MANIFEST.json", "keys/0.vkey"} <= names


def test_bundle_is_the_same_each_time_and_named_by_its_manifest(tmp_path):
    log = Log(bodies(3))
    target = io.BytesIO()

    digest = write_bundle(target, Contents(log.checkpoint(), log.events, log.read_tile))

    folder = log.exported(tmp_path)
    with zipfile.ZipFile(target) as archive:
        assert sha256(archive.read("MANIFEST.json")).hexdigest() == digest
    assert log.zipped() == log.zipped()
    before = (folder / "MANIFEST.json").read_text()
    restate(folder)
    assert (folder / "MANIFEST.json").read_text() == before


def test_bundle_is_cut_into_segments(monkeypatch, tmp_path):
    monkeypatch.setattr(bundle, "SEGMENT_LEAVES", 600)

    folder = Log(bodies(1300)).exported(tmp_path)

    segments = sorted((folder / "segments").iterdir())
    assert [len(one.read_text().splitlines()) for one in segments] == [600, 600, 100]


@pytest.mark.parametrize("events", [2, 4])
def test_bundle_refuses_another_number_of_events(events):
    log = Log(bodies(3))
    contents = Contents(log.checkpoint(), bodies(events), log.read_tile)

    with pytest.raises(ValueError, match="of the checkpoint"):
        write_bundle(io.BytesIO(), contents)


def test_bundle_refuses_a_tile_that_is_too_small():
    log = Log(bodies(3))
    contents = Contents(log.checkpoint(), log.events, lambda *_: bytes(64))

    with pytest.raises(ValueError, match="Tile 0/0"):
        write_bundle(io.BytesIO(), contents)
