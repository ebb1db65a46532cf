"""Files from a folder on the allow-list: what is shown, what is refused, what comes."""

import io
import os
from pathlib import Path

import pytest

from apps.datasets import sources
from apps.datasets.sources import SourceError
from apps.datasets.sources.places import PAGE_ENTRIES

CONTENT = b"species,speed\nGull,140\n"
OUT = "cannot lead out of its source"


@pytest.fixture
def root(tmp_path: Path, settings) -> Path:
    """What the source `archive` shows."""
    folder = tmp_path / "archive"
    (folder / "2024").mkdir(parents=True)
    (folder / "2024" / "strikes.csv").write_bytes(CONTENT)
    (folder / "notes.txt").write_text("Notes.")
    (tmp_path / "secret.csv").write_text("a\n1\n")
    settings.DATA_SOURCES = {"archive": str(folder)}
    return folder


@pytest.fixture
def source(root, project):
    return sources.source_of(project, "archive")


def names(source, folder="", begins="", after="") -> list[str]:
    found = source.listing(folder, begins=begins, after=after)
    return [entry.name for entry in found.entries]


def test_listing_shows_folders_and_files(source):
    (folder, file) = source.listing("", begins="", after="").entries

    assert (folder.name, folder.path, folder.is_folder) == ("2024", "2024", True)
    assert (file.name, file.size_bytes) == ("notes.txt", 6)
    assert names(source, "2024") == ["strikes.csv"]


def test_listing_finds_by_beginning(source):
    assert names(source, begins="no") == ["notes.txt"]
    assert names(source, begins="NO") == []


def test_listing_comes_in_pages(source, root):
    many = root / "many"
    many.mkdir()
    for number in range(PAGE_ENTRIES + 5):
        (many / f"{number:04}.csv").touch()

    first = source.listing("many", begins="", after="")
    second = source.listing("many", begins="", after=first.after)

    assert len(first.entries) == PAGE_ENTRIES
    assert [entry.name for entry in second.entries] == [
        f"{number:04}.csv" for number in range(PAGE_ENTRIES, PAGE_ENTRIES + 5)
    ]
    assert second.after == ""


def test_listing_hides_what_cannot_be_imported(source, root):
    (root / ".hidden.csv").touch()
    (root / "link.csv").symlink_to(root / "notes.txt")
    (root / "away").symlink_to(root.parent)
    os.mkfifo(root / "pipe.csv")
    (root / "line\nbreak.csv").touch()
    os.close(os.open(os.fsencode(root) + b"/\xff.csv", os.O_CREAT))

    assert names(source) == ["2024", "notes.txt"]


def test_entry_describes_a_file(source):
    entry = source.entry("2024/strikes.csv")

    assert (entry.name, entry.size_bytes) == ("strikes.csv", len(CONTENT))
    assert entry.modified_at.tzinfo is not None


@pytest.mark.parametrize(
    "path",
    [
        "../secret.csv",
        "2024/../../secret.csv",
        "2024/../notes.txt",
        "/etc/passwd",
        "2024//strikes.csv",
        "./notes.txt",
        "2024/",
        "a\0b",
        "line\nbreak",
        "..",
    ],
)
def test_a_path_cannot_lead_out(source, path):
    with pytest.raises(SourceError, match=OUT):
        source.entry(path)
    with pytest.raises(SourceError, match=OUT):
        source.copy(path, io.BytesIO(), lambda _: None)
    with pytest.raises(SourceError, match=OUT):
        source.listing(path, begins="", after="")


@pytest.mark.parametrize("path", ["x/" * 33 + "x", "x" * 1001])
def test_a_path_has_an_end(source, path):
    with pytest.raises(SourceError, match="too long"):
        source.entry(path)


def test_a_link_is_not_followed(source, root):
    (root / "link.csv").symlink_to(root.parent / "secret.csv")
    (root / "inside.csv").symlink_to(root / "notes.txt")
    (root / "away").symlink_to(root.parent)

    for path in ("link.csv", "inside.csv", "away/secret.csv"):
        with pytest.raises(SourceError, match="links are not followed"):
            source.entry(path)
    with pytest.raises(SourceError, match="links are not followed"):
        source.listing("away", begins="", after="")


def test_what_is_no_file_is_refused(source, root):
    os.mkfifo(root / "pipe.csv")

    for path, words in [
        ("pipe.csv", "is no file"),
        ("2024", "is no file"),
        ("missing.csv", "is not there"),
        ("missing/x.csv", "is not there"),
        ("notes.txt/x.csv", "no folder"),
        ("", "Choose a file"),
    ]:
        with pytest.raises(SourceError, match=words):
            source.entry(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes")
def test_a_device_is_refused(source, root):
    try:
        os.mknod(root / "zero.csv", 0o20644, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("this machine lets nobody make device nodes")

    with pytest.raises(SourceError, match="is no file"):
        source.copy("zero.csv", io.BytesIO(), lambda _: None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said_in_words(source, root):
    (root / "notes.txt").chmod(0)

    with pytest.raises(SourceError, match="cannot be read by the portal"):
        source.entry("notes.txt")


def test_copy_brings_all_bytes_and_tells_how_many(source):
    target, told = io.BytesIO(), []

    source.copy("2024/strikes.csv", target, told.append)

    assert target.getvalue() == CONTENT
    assert told == [len(CONTENT)]


@pytest.mark.parametrize("change", ["grow", "shrink", "touch"])
def test_copy_refuses_a_file_that_changes_meanwhile(source, root, change):
    path = root / "2024" / "strikes.csv"
    path.write_bytes(CONTENT * 100_000)

    def meddle(_: int) -> None:
        match change:
            case "grow":
                with path.open("ab") as file:
                    file.write(b"x" * 4096)
            case "shrink":
                os.truncate(path, 1024 * 1024)
            case "touch":
                os.utime(path, (0, 0))

    with pytest.raises(SourceError, match="changed while it was copied"):
        source.copy("2024/strikes.csv", io.BytesIO(), meddle)


def test_a_source_of_each_project(tmp_path, settings, project):
    settings.DATA_SOURCES = {
        "own": str(tmp_path / "{project}"),
        "others": str(tmp_path / "missing"),
        "lake": "s3://lake/{project}?region=us-gov-west-1",
    }
    (tmp_path / project.slug).mkdir()
    (tmp_path / project.slug / "rows.csv").write_bytes(CONTENT)

    assert sources.source_names(project) == ["lake", "own"]
    assert names(sources.source_of(project, "own")) == ["rows.csv"]
    lake = sources.source_of(project, "lake")
    assert (lake.bucket, lake.prefix) == ("lake", project.slug)
    assert lake.options == {"region": "us-gov-west-1"}


@pytest.mark.parametrize("name", ["others", "", "archive/2024", "__class__"])
def test_an_unknown_source_is_refused(root, project, name):
    with pytest.raises(SourceError, match="no such source") as caught:
        sources.source_of(project, name)

    assert "source" in caught.value.fields
