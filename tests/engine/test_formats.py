"""Every kind of file becomes the same typed Parquet."""

import bz2
import io
import lzma
from datetime import date, datetime

import duckdb
import pytest
from PIL import Image

from engine.spec import IngestSpec, SpecError, format_of
from tests.engine.corpus.archives import archive, picture
from tests.engine.corpus.packed import PACKERS
from tests.engine.corpus.tables import arrow, parquet
from tests.engine.jobs import Job, Json

CSV = b"a,b\n1,x\n2,y\n"


def ingest(job: Job, name: str, content: bytes, **options: object) -> Json:
    (job.inputs / "original").write_bytes(content)
    kind, compression = format_of(name)
    spec = {"original_name": name, "format": kind, "compression": compression}
    return job.succeed("ingest", spec | options)


def rows(job: Job) -> list[tuple[object, ...]]:
    path = job.outputs / "data.parquet"
    return duckdb.connect().execute(f"FROM read_parquet('{path}')").fetchall()


def types(result: Json) -> dict[str, str]:
    return {column["name"]: column["type"] for column in result["schema"]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", ("csv", "none")),
        ("A.CSV.GZ", ("csv", "gzip")),
        ("a.tsv.zst", ("tsv", "zstd")),
        ("a.ndjson.bz2", ("jsonl", "bzip2")),
        ("a.feather", ("arrow", "none")),
        ("a.zip", ("images", "none")),
        ("a.zip.gz", None),
        ("a.parquet.xz", None),
        ("a.gz", None),
        (".csv", None),
        ("csv", None),
        ("a.exe", None),
    ],
)
def test_format_of_reads_the_end_of_a_name(name: str, expected: object) -> None:
    assert format_of(name) == expected


def test_spec_refuses_a_packed_parquet() -> None:
    with pytest.raises(SpecError, match="compression: is for csv"):
        IngestSpec(original_name="a", format="parquet", compression="gzip")


@pytest.mark.parametrize("ending", PACKERS)
def test_ingest_unpacks(job: Job, ending: str) -> None:
    ingest(job, f"a.csv.{ending}", PACKERS[ending](CSV))

    assert rows(job) == [(1, "x"), (2, "y")]


@pytest.mark.parametrize("pack", [lzma.compress, bz2.compress], ids=["xz", "bz2"])
def test_ingest_unpacks_several_streams(job: Job, pack) -> None:
    name = "a.csv.xz" if pack is lzma.compress else "a.csv.bz2"

    ingest(job, name, pack(CSV) + pack(b"3,z\n"))

    assert len(rows(job)) == 3


def test_ingest_unpacks_more_than_one_piece(job: Job) -> None:
    content = b"a\n" + b"".join(b"%d\n" % (n * 7919) for n in range(300_000))

    for ending, pack in PACKERS.items():
        result = ingest(job, f"a.csv.{ending}", pack(content))
        assert result["row_count"] == 300_000


def test_ingest_reads_tsv(job: Job) -> None:
    ingest(job, "a.tsv", b"a\tb,c\n1\tx,y\n")

    assert rows(job) == [(1, "x,y")]


def test_ingest_reads_json_lines(job: Job) -> None:
    result = ingest(
        job,
        "a.jsonl",
        b'{"n": 1, "x": 1, "t": "2", "day": "2024-02-29", "flag": true, "none": null}\n'
        b'\n{"x": 2.5, "t": "b", "at": "2024-02-29T10:00:00Z", "id": "007"}\n'
        b'{"n": -3, "big": 12345678901234567890, "mixed": 1e3, "day": null}\n',
    )

    assert types(result) == {
        "n": "integer",
        "x": "number",
        "t": "text",
        "day": "date",
        "flag": "boolean",
        "none": "text",
        "at": "timestamp",
        "id": "text",
        "big": "text",
        "mixed": "number",
    }
    first, second, third = rows(job)
    assert first[:6] == (1, 1.0, "2", date(2024, 2, 29), True, None)
    assert second[6:8] == (datetime.fromisoformat("2024-02-29 10:00"), "007")
    assert third[0] == -3
    assert third[8:] == ("12345678901234567890", 1000.0)


def test_ingest_keeps_long_numbers_among_decimals(job: Job) -> None:
    result = ingest(job, "a.jsonl", b'{"a": 1.5}\n{"a": 1234567890123456}\n')

    assert types(result) == {"a": "text"}


@pytest.mark.parametrize("as_stream", [False, True])
def test_ingest_reads_arrow(job: Job, as_stream: bool) -> None:
    query = "SELECT 1::TINYINT AS a, 'x' AS b, DATE '2024-02-29' AS c, NULL::INT AS d"
    query += ", 'k'::ENUM('k') AS e"

    result = ingest(job, "a.arrow", arrow(query, as_stream=as_stream))

    assert list(types(result).values()) == [
        "integer",
        "text",
        "date",
        "integer",
        "text",
    ]
    assert rows(job) == [(1, "x", date(2024, 2, 29), None, "k")]


def test_ingest_keeps_the_order_of_many_rows(job: Job) -> None:
    content = parquet("SELECT range AS a FROM range(400000)")

    ingest(job, "a.parquet", content, threads=2)

    assert [row[0] for row in rows(job)] == list(range(400_000))


def test_ingest_reads_images_labelled_by_folder(job: Job) -> None:
    result = ingest(
        job,
        "a.zip",
        archive(
            {
                "set/cat/b.jpg": picture("JPEG", size=(1000, 20), quality=90),
                "set/dog/a.png": picture(),
                "__MACOSX/set/._a.png": b"clutter",
            }
        ),
    )

    first, second = rows(job)
    assert first[:4] == ("set/cat/b.jpg", "cat", 512, 10)
    assert second[:4] == ("set/dog/a.png", "dog", 4, 3)
    assert types(result)["image"] == "image"
    image = result["profile"]["columns"][4]
    assert (image["missing"], len(image["thumbnails"])) == (0, 2)
    assert result["profile"]["columns"][1]["top"][0] == {"value": "cat", "count": 1}
    assert any("1 images were scaled" in line.get("log", "") for line in job.progress())


def test_ingest_reads_images_labelled_by_a_table(job: Job) -> None:
    table = b"\xef\xbb\xbfFile,Label,note\nin/b.png,dog,x\na.png,cat,y\n"

    ingest(
        job,
        "a.zip",
        archive({"a.png": picture(), "in/b.png": picture(), "labels.csv": table}),
    )

    assert [row[:2] for row in rows(job)] == [("a.png", "cat"), ("in/b.png", "dog")]


def test_ingest_draws_images_anew(job: Job) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "a camera"
    turned = picture("JPEG", size=(40, 20), exif=exif, comment=b"a secret")
    grey = io.BytesIO()
    Image.new("I;16", (2, 2), 0x8000).save(grey, "PNG")

    ingest(job, "a.zip", archive({"x/a.jpg": turned, "x/b.png": grey.getvalue()}))

    first, second = rows(job)
    assert first[2:4] == (20, 40)
    assert b"a camera" not in first[4]
    assert b"a secret" not in first[4]
    drawn = Image.open(io.BytesIO(second[4]))
    assert (drawn.format, drawn.mode, drawn.getpixel((0, 0))) == ("PNG", "L", 128)


def test_ingest_images_are_the_same_byte_for_byte(tmp_path) -> None:
    files = []
    for name in ("first", "second"):
        job = Job(tmp_path / name)
        ingest(job, "a.zip", archive({f"x/{n}.png": picture() for n in range(100)}))
        files.append((job.outputs / "data.parquet").read_bytes())

    assert files[0] == files[1]
