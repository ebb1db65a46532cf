import io
import shutil
import subprocess
import zipfile

import pytest

from apps.audit.transparency import zip_file

FILES = {
    "checkpoint": b"text",
    "tile/0/000": bytes(range(256)) * 32,
    "empty": b"",
    "segments/000000.jsonl": b'{"a":1}\n' * 200_000,
}


def written() -> io.BytesIO:
    target = io.BytesIO()
    file = zip_file.ZipFile(target)
    for name, content in FILES.items():
        if name.startswith("segments"):
            entry = file.open(name)
            for start in range(0, len(content), 100_000):
                entry.write(content[start : start + 100_000])
            entry.close()
        else:
            file.write(name, content, packed=not name.startswith("tile"))
    file.close()
    return target


def read(target: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_another_reader_reads_every_entry():
    assert read(written()) == FILES


@pytest.mark.parametrize(
    ("limit", "value"),
    [("LIMIT", 0), ("LIMIT", 50), ("LIMIT", 9000), ("COUNT_LIMIT", 2)],
)
def test_what_is_too_large_for_the_old_form_is_read_too(monkeypatch, limit, value):
    monkeypatch.setattr(zip_file, limit, value)

    assert read(written()) == FILES


def test_the_same_files_give_the_same_bytes():
    assert written().getvalue() == written().getvalue()


def test_hashes_are_stored_and_texts_are_packed():
    with zipfile.ZipFile(written()) as archive:
        modes = {entry.external_attr >> 16 for entry in archive.infolist()}
        kinds = {entry.filename: entry.compress_type for entry in archive.infolist()}

    assert modes == {0o600}
    assert kinds["tile/0/000"] == zipfile.ZIP_STORED
    assert kinds["checkpoint"] == zipfile.ZIP_DEFLATED


@pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not installed here")
def test_unzip_reads_every_entry(tmp_path):
    (tmp_path / "export.zip").write_bytes(written().getvalue())

    done = subprocess.run(
        ["unzip", "-tq", "export.zip"], cwd=tmp_path, check=False, capture_output=True
    )

    assert done.returncode == 0, done.stdout
