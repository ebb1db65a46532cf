"""Broken and harmful zip archives of images."""

import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping

from PIL import Image

from tests.engine.corpus.broken import Broken

Entries = Mapping[str, bytes]


def picture(
    kind: str = "PNG", size: tuple[int, int] = (4, 3), **options: object
) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#005ea2").save(out, kind, **options)
    return out.getvalue()


def archive(entries: Entries, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as opened:
        for name, content in entries.items():
            opened.writestr(name, content)
    return out.getvalue()


def _of(name: str, content: bytes | None = None) -> Callable[[], bytes]:
    """Make an archive with one good image and one entry more."""
    return lambda: archive({"cat/good.png": picture(), name: content or picture()})


def _with_kind(kind: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        entry = zipfile.ZipInfo("cat/link.png")
        entry.external_attr = (kind | 0o777) << 16
        opened.writestr(entry, b"/etc/passwd")
    return out.getvalue()


def _twice() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        opened.writestr("cat/a.png", picture())
        opened.writestr("cat/A.png", picture())
    return out.getvalue()


def _encrypted() -> bytes:
    content = bytearray(archive({"cat/a.png": picture()}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


def _overlapping() -> bytes:
    """Let two names of the directory point at the same bytes."""
    content = archive({"cat/a.png": picture(), "cat/b.png": picture()})
    second = content.rindex(b"PK\x01\x02")
    return content[: second + 42] + bytes(4) + content[second + 46 :]


def _bent() -> bytes:
    content = bytearray(archive({"cat/a.png": picture()}, zipfile.ZIP_STORED))
    content[60] ^= 0xFF
    return bytes(content)


def _huge_png() -> bytes:
    """Say in its header that an image is far larger than its bytes."""
    content = bytearray(picture())
    content[16:24] = (30_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    return bytes(content)


def _frames() -> bytes:
    out = io.BytesIO()
    pictures = [Image.new("L", (4, 4), shade) for shade in (0, 128, 255)]
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


_LABELS = {"cat.png": picture(), "labels.csv": b"file,label\ncat.png,cat\n"}

FILES = (
    Broken("zip-empty-file", "a.zip", b"", "The file is empty"),
    Broken("zip-of-nothing", "a.zip", lambda: archive({}), "holds nothing"),
    Broken("zip-is-csv", "a.zip", b"a,b\n1,2\n", "something else, not a zip archive"),
    Broken("zip-cut-short", "a.zip", lambda: _of("a/b.png")()[:-9], "cut short"),
    Broken(
        "zip-with-something-before",
        "a.zip",
        lambda: b"#!/bin/sh\n" + _of("a/b.png")(),
        "something else, not a zip archive",
    ),
    Broken(
        "zip-with-something-after",
        "a.zip",
        lambda: _of("a/b.png")() + b"something",
        "something follows after its end",
    ),
    Broken(
        "zip-and-pdf",
        "a.zip",
        lambda: archive({"a.pdf": b"%PDF-1.7 rest"}, zipfile.ZIP_STORED),
        "a zip archive and a PDF at once",
    ),
    Broken(
        "zip-leads-out",
        "a.zip",
        _of("../../etc/cron.png"),
        'Entry "../../etc/cron.png" leads out of the archive',
        ((None, None, "../../etc/cron.png"),),
    ),
    Broken("zip-absolute", "a.zip", _of("/etc/a.png"), "has an absolute name"),
    Broken("zip-drive", "a.zip", _of("C:a.png"), "has an absolute name"),
    Broken("zip-backslash", "a.zip", _of("cat\\..\\a.png"), "has a backslash"),
    Broken("zip-link", "a.zip", lambda: _with_kind(stat.S_IFLNK), "is a link"),
    Broken("zip-pipe", "a.zip", lambda: _with_kind(stat.S_IFIFO), "not a plain file"),
    Broken("zip-names-twice", "a.zip", _twice, 'Entry "cat/A.png" is there twice'),
    Broken("zip-encrypted", "a.zip", _encrypted, "is encrypted"),
    Broken("zip-overlapping", "a.zip", _overlapping, "overlaps another"),
    Broken("zip-of-zip", "a.zip", _of("cat/inner.zip"), "is an archive itself"),
    Broken(
        "zip-of-hidden-zip",
        "a.zip",
        _of("cat/inner.png", archive({"a.txt": b"a"})),
        'Entry "cat/inner.png" is a zip archive',
        ((None, None, "cat/inner.png"),),
    ),
    Broken(
        "zip-bomb",
        "a.zip",
        _of("cat/zeros.png", bytes(8 * 1024 * 1024)),
        "unpacks to more than 200 times its size",
    ),
    Broken(
        "zip-larger-than-allowed",
        "a.zip",
        _of("cat/b.png"),
        "more than the 100 allowed",
        options=(("max_unpacked_bytes", 100),),
    ),
    Broken(
        "zip-too-many-images",
        "a.zip",
        _of("cat/b.png"),
        "2 rows, more than the 1 allowed",
        options=(("max_rows", 1),),
    ),
    Broken(
        "zip-checksum-wrong", "a.zip", _bent, 'Entry "cat/a.png" cannot be unpacked'
    ),
    Broken(
        "zip-of-documents", "a.zip", _of("cat/b.docx"), '"cat/b.docx" is not an image'
    ),
    Broken(
        "zip-image-is-text", "a.zip", _of("cat/b.png", b"hello"), "no image that can be"
    ),
    Broken(
        "zip-image-cut-short",
        "a.zip",
        _of("cat/b.png", picture(size=(99, 99))[:120]),
        'Entry "cat/b.png" cannot be read',
    ),
    Broken(
        "zip-image-misnamed",
        "a.zip",
        _of("cat/b.png", picture("JPEG")),
        'Entry "cat/b.png" is a JPEG image, not PNG',
    ),
    Broken(
        "zip-image-bomb",
        "a.zip",
        _of("cat/b.png", _huge_png()),
        'Entry "cat/b.png"',
    ),
    Broken(
        "zip-image-animated", "a.zip", _of("cat/b.gif", _frames()), "holds 3 pictures"
    ),
    Broken(
        "zip-no-label",
        "a.zip",
        _of("stray.png"),
        'Entry "stray.png" has no label',
        ((None, None, "stray.png"),),
    ),
    Broken("zip-no-images", "a.zip", lambda: archive({".DS_Store": b"x"}), "no images"),
    Broken(
        "zip-two-tables",
        "a.zip",
        lambda: archive(_LABELS | {"metadata.csv": b"file,label\n"}),
        "2 tables of labels",
    ),
    Broken(
        "zip-table-without-columns",
        "a.zip",
        lambda: archive(_LABELS | {"labels.csv": b"name,class\ncat.png,cat\n"}),
        'labels.csv has no columns "file" and "label"',
    ),
    Broken(
        "zip-table-lists-more",
        "a.zip",
        lambda: archive(
            _LABELS | {"labels.csv": b"file,label\ncat.png,c\ndog.png,d\n"}
        ),
        'labels.csv lists "dog.png", which is not in the archive',
        ((None, "file", "dog.png"),),
    ),
    Broken(
        "zip-table-lists-twice",
        "a.zip",
        lambda: archive(
            _LABELS | {"labels.csv": b"file,label\ncat.png,c\ncat.png,d\n"}
        ),
        'labels.csv: Row 3 lists "cat.png" again',
        ((3, "file", "cat.png"),),
    ),
    Broken(
        "zip-table-latin-1",
        "a.zip",
        lambda: archive(_LABELS | {"labels.csv": b"file,label\ncat.png,caf\xe9\n"}),
        "labels.csv: Line 2 is not UTF-8",
    ),
)
