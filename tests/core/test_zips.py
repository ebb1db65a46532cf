"""Zips that people send: what is refused before a byte of them is unpacked."""

import io
import struct
import zipfile

import pytest

from apps.core.zips import (
    SMALLEST_DIRECTORY,
    CheckedZip,
    ZipDamaged,
    ZipFault,
    ZipLimits,
)

LIMITS = ZipLimits(files=10, total_bytes=1_000_000, file_bytes=500_000, depth=5)


def zipped(*names: str, content: bytes = b"x", packing=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", packing) as archive:
        for name in names:
            archive.writestr(name, content)
    return packed


def read(content: io.BytesIO, path: str = "a") -> bytes:
    with CheckedZip(content, LIMITS).open(path) as file:
        return b"".join(iter(lambda: file.read(1000), b""))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped("a", "a/b"), "a is a file and a folder"),
        (zipped("a/b", "a"), "a is a file and a folder"),
        (zipped("a", "a/"), "a is a file and a folder"),
        (zipped("a/b/c/d/e/f"), "more than 5 folders deep"),
        (zipped(*map(str, range(11))), "holds 11 files"),
        (zipped(*(f"{n:04}{'x' * 90}" for n in range(2000))), "more files than"),
        (zipped("a", content=bytes(500_001)), "'a' has 0 MB; a file of up to"),
        (zipped(*"abc", content=bytes(400_000)), "would have 1 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_not_be_in_a_zip_is_refused(content, words):
    with pytest.raises(ZipFault, match=words):
        CheckedZip(content, LIMITS)


def test_a_large_directory_never_comes_into_memory():
    content = zipped(*(f"{n:04}{'x' * 90}" for n in range(2000)))
    asked = []

    class Watched(io.BytesIO):
        def read(self, size=-1):
            chunk = super().read(size)
            asked.append(len(chunk))
            return chunk

    whole = CheckedZip(content, ZipLimits(2000, 10_000, 10))
    with pytest.raises(ZipFault):
        CheckedZip(Watched(content.getvalue()), LIMITS)

    assert len(whole.sizes) == 2000
    assert max(asked) <= SMALLEST_DIRECTORY + 1


@pytest.mark.parametrize("size", [2, 400])
def test_no_more_and_no_less_is_read_than_the_zip_says(size):
    content = bytearray(zipped("a", content=b"x" * 300).getvalue())
    for sign, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = content.rindex(sign) + place
        content[at : at + 4] = struct.pack("<I", size)

    with pytest.raises(ZipDamaged, match=r"a is damaged|another length"):
        read(io.BytesIO(content))


def test_damage_is_told_where_the_bytes_are_read_and_nowhere_else():
    content = bytearray(zipped("a", content=b"y" * 50, packing=0).getvalue())
    content[content.index(b"yy")] ^= 1

    with pytest.raises(ZipDamaged, match="a is damaged"):
        read(io.BytesIO(content))
    archive = CheckedZip(zipped("a"), LIMITS)
    with pytest.raises(OSError, match="of the store"), archive.open("a"):
        raise OSError("of the store")
