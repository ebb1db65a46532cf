import io
import json
import zipfile
from hashlib import sha256

import pytest

from apps.audit.transparency.bundle_file import FORMAT, MANIFEST, BundleFile


def test_the_manifest_names_every_file_with_its_digest():
    target = io.BytesIO()

    with BundleFile(target) as file:
        file.write("small", b"abc")
        file.write("tile", bytes(64), packed=False)
        file.write_pieces("large", (b"x" * 1000 for _ in range(100)))
        digest = file.finish()

    written = zipfile.ZipFile(target)
    manifest = json.loads(written.read(MANIFEST))
    assert manifest["format"] == FORMAT
    assert manifest["files"] == {
        name: sha256(written.read(name)).hexdigest()
        for name in ("small", "tile", "large")
    }
    assert digest == sha256(written.read(MANIFEST)).hexdigest()
    assert written.getinfo("tile").compress_type == zipfile.ZIP_STORED
    assert written.testzip() is None


def test_a_file_without_pieces_is_empty():
    target = io.BytesIO()

    with BundleFile(target) as file:
        file.write_pieces("empty", [])
        file.finish()

    assert zipfile.ZipFile(target).read("empty") == b""


def test_pieces_that_fail_end_the_archive():
    def pieces():
        yield b"abc" * 100_000
        raise OSError("the disk is gone")

    with (
        pytest.raises(OSError, match="disk is gone"),
        BundleFile(io.BytesIO()) as file,
    ):
        file.write_pieces("large", pieces())


class FullDisk(io.BytesIO):
    def write(self, data):
        raise OSError("no space left")


@pytest.mark.parametrize("count", [1, 50])
def test_a_target_that_fails_is_told(count):
    pieces = (b"%d" % number * 200_000 for number in range(count))

    with (
        pytest.raises(OSError, match="no space left"),
        BundleFile(FullDisk()) as file,
    ):
        file.write_pieces("large", pieces)
