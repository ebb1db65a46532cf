"""The quick proof agrees with a strict reading, wherever the file is cut."""

import csv
import io
import random

import pytest

from engine.readers.csv_scan import PlainCsv


def scan(content: bytes, width: int, size: int) -> PlainCsv:
    plain = PlainCsv(",", width)
    for start in range(0, len(content), size):
        plain.feed(content[start : start + size])
    plain.finish()
    return plain


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
@pytest.mark.parametrize(
    ("content", "width", "records"),
    [
        (b"a,b\n1,2\n", 2, 2),
        (b"a,b\n1,2", 2, 2),
        (b"a,b\r\n1,2\r\n\r\n\n", 2, 2),
        (b'\xef\xbb\xbf"a",b\n1,2\n', 2, 2),
        (b'a,b\n"1,\n2","x""y"\n"","""q"""\n', 2, 3),
        (b'a,b\n1,"x\n\n"\n', 2, 2),
        (b"a\n1\n\n2\n", 1, 4),
        (b",\n,\n", 2, 2),
    ],
)
def test_plain_files_are_counted(
    content: bytes, width: int, records: int, size: int
) -> None:
    plain = scan(content, width, size)

    assert plain.is_plain
    assert plain.records == records


@pytest.mark.parametrize("size", [1, 2, 5, 1_000])
@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1\n",
        b"a,b\n1,2,3\n",
        b"a,b\n1\n1,2,3\n",
        b"a,b\n\n1,2\n",
        b'a,b\n1,"x"y\n',
        b'a,b\n1,x"y"\n',
        b'a,b\n1, "x"\n',
        b'a,b\n1,"open\n1,2\n',
        b"a,b\r1,2\r",
        b"a,b\n1,x\ry\n",
    ],
)
def test_others_are_left_to_the_strict_reading(content: bytes, size: int) -> None:
    assert not scan(content, 2, size).is_plain


def test_plain_means_what_the_strict_reading_says() -> None:
    chance = random.Random(4)  # noqa: S311 - not a secret
    agreed = 0
    for _ in range(3_000):
        marks = chance.choices(["a", '"', ",", "\n", "1", " ", "\r\n"], k=12)
        content = "h,i\n" + "".join(marks)
        plain = scan(content.encode(), 2, chance.randint(1, 9))
        if not plain.is_plain:
            continue
        agreed += 1
        rows = list(csv.reader(io.StringIO(content, newline=""), strict=True))
        while rows and not rows[-1]:
            rows.pop()
        assert plain.records == len(rows), content
        assert all(len(row) == 2 for row in rows), content
    assert agreed > 20


def test_suspects_are_columns_with_codes_spaces_quotes_or_long_fields() -> None:
    content = (
        b"a,b,c,d,e,f\n" + b"5,0.5,x,1,10,2\n" * 3 + b'007,0.5,x,"1", 3,' + b"2" * 16
    )

    for size in (1, 4, 1_000):
        assert scan(content, 6, size).suspects == [0, 3, 4, 5]
