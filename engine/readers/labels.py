"""Which label an image has: by a table in the archive, or else by its folder."""

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import PurePosixPath

from engine.folder import EngineError
from engine.readers import archive
from engine.readers.problems import Problems

MOST_TABLE_BYTES = 64 * 1024 * 1024
_TABLES = ("labels.csv", "metadata.csv")


def is_table(path: PurePosixPath) -> bool:
    """Whether it is the table of labels."""
    return path.name.lower() in _TABLES


class Labels:
    """Which label a file has: by a table if there is one, else by its folder."""

    def __init__(self, root: PurePosixPath, table: dict[str, str] | None) -> None:
        self._root = root
        self._table = table

    @classmethod
    def of(
        cls,
        opened: zipfile.ZipFile,
        entries: Sequence[zipfile.ZipInfo],
        pictures: Sequence[zipfile.ZipInfo],
        problems: Problems,
    ) -> "Labels":
        """Find where labels are; a table that lists what is not there is wrong."""
        tables = [e for e in entries if is_table(PurePosixPath(e.filename))]
        if not tables:
            return cls(_common_folder(pictures), None)
        if len(tables) > 1:
            raise EngineError(
                f'The archive has {len(tables)} tables of labels, "'
                f'{tables[0].filename}" and "{tables[1].filename}"; keep one.'
            )
        entry = tables[0]
        root = PurePosixPath(entry.filename).parent
        table = _read_table(archive.read_entry(opened, entry), entry, problems)
        known = {_below(root, picture.filename) for picture in pictures}
        for name in table.keys() - known:
            problems.add(
                f'{entry.filename} lists "{name[:200]}", which is not in the archive.',
                column="file",
                text=name,
            )
        return cls(root, table)

    def find(self, name: str) -> str | None:
        """Return the label of the file, or `None` when it has none."""
        if self._table is not None:
            return self._table.get(_below(self._root, name)) or None
        parts = PurePosixPath(_below(self._root, name)).parts
        return parts[0] if len(parts) > 1 else None


def _common_folder(pictures: Sequence[zipfile.ZipInfo]) -> PurePosixPath:
    """Return the one folder in which all folders of labels are, if there is one."""
    paths = [PurePosixPath(picture.filename) for picture in pictures]
    first = {path.parts[0] for path in paths}
    # A folder, in it one for each label, in it the images.
    is_nested = all(path.parent.parent.name for path in paths)
    has_one = is_nested and len(first) == 1
    return PurePosixPath(first.pop()) if has_one else PurePosixPath()


def _below(root: PurePosixPath, name: str) -> str:
    path = PurePosixPath(name)
    return str(path.relative_to(root)) if path.is_relative_to(root) else name


def _read_table(
    content: bytes, entry: zipfile.ZipInfo, problems: Problems
) -> dict[str, str]:
    """Read file and label of every row."""
    if len(content) > MOST_TABLE_BYTES:
        raise EngineError(
            f"{entry.filename} is larger than 64 MB; upload less at once."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EngineError(
            f"{entry.filename}: Line {line:,} is not UTF-8 text; save it as UTF-8."
        ) from error
    rows = csv.DictReader(io.StringIO(text, newline=""))
    names = [(name or "").strip().lower() for name in rows.fieldnames or []]
    if "file" not in names or "label" not in names:
        raise EngineError(
            f'{entry.filename} has no columns "file" and "label" in row 1; name two so.'
        )
    rows.fieldnames = names
    found: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        name, label = (row["file"] or "").strip(), (row["label"] or "").strip()
        if name in found:
            problems.add(
                f'{entry.filename}: Row {number:,} lists "{name[:200]}" again.',
                row=number,
                column="file",
                text=name,
            )
        found[name] = label
    return found
