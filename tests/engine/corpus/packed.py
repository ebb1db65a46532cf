"""Broken gzip, zstd, bzip2 and xz."""

import bz2
import gzip
import lzma

import zstandard

from tests.engine.corpus.broken import Broken
from tests.engine.corpus.tables import zipped

_CSV = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * 7919 % 1013) for n in range(20_000))
_ZEROS = bytes(40 * 1024 * 1024)
PACKERS = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "zst": zstandard.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}

FILES = (
    *(
        Broken(
            f"{ending}-cut-short",
            f"a.csv.{ending}",
            lambda pack=pack: pack(_CSV)[:-30],
            "cannot be unpacked as",
        )
        for ending, pack in PACKERS.items()
    ),
    *(
        Broken(
            f"{ending}-bomb",
            f"a.csv.{ending}",
            lambda pack=pack: pack(_ZEROS),
            "unpacks to more than 200 times its size",
        )
        for ending, pack in PACKERS.items()
    ),
    *(
        Broken(
            f"{ending}-and-zip",
            f"a.csv.{ending}",
            lambda pack=pack: pack(_CSV) + zipped(),
            "followed by something else",
        )
        for ending, pack in PACKERS.items()
    ),
    Broken("gz-is-csv", "a.csv.gz", _CSV, "is named as gzip but is not packed so"),
    Broken("gz-empty", "a.csv.gz", b"", "The file is empty"),
    Broken(
        "gz-of-gz",
        "a.csv.gz",
        lambda: gzip.compress(gzip.compress(_CSV)),
        "a gzip archive, not CSV",
    ),
    Broken(
        "gz-checksum-wrong",
        "a.csv.gz",
        lambda: gzip.compress(_CSV)[:-8] + bytes(4) + gzip.compress(_CSV)[-4:],
        "cannot be unpacked as gzip",
    ),
    Broken(
        "gz-larger-than-allowed",
        "a.csv.gz",
        lambda: gzip.compress(_CSV),
        "unpacks to more than the 1,000 bytes allowed",
        options=(("max_unpacked_bytes", 1_000),),
    ),
    Broken(
        "gz-of-broken-csv",
        "a.csv.gz",
        lambda: gzip.compress(b"a,b\n1\n"),
        "Row 2 has 1 fields instead of 2",
        ((2, "b", "1"),),
    ),
)
