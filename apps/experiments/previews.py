"""What a page shows of a file that anybody may have written.

Only so many bytes are read, and nothing in them is ever run: no pickle is opened, and
drawings and pages that could hold scripts are shown as their text.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from apps.core import blobs
from apps.core.plain_yaml import YamlFault, load_yaml
from apps.experiments.onnx_summary import NotOnnx, summarise

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.experiments.models import StoredFile
    from apps.experiments.onnx_summary import OnnxSummary

MOST_BYTES: Final = 64 * 1024
MOST_JSON_BYTES: Final = 512 * 1024
MOST_IMAGE_BYTES: Final = 20 * 1024**2
MOST_ROWS: Final = 50
MOST_COLUMNS: Final = 30
MOST_CELL: Final = 200
MLMODEL: Final = "MLmodel"

_PICTURES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
_HEAD: Final = 16
_KINDS: Final = {
    "image": ".png .jpg .jpeg .gif .webp",
    "table": ".csv .tsv",
    "json": ".json .ipynb .geojson",
    "markdown": ".md .markdown",
    "onnx": ".onnx",
    "parquet": ".parquet .pq",
    "pickle": ".pkl .pickle .joblib .cloudpickle .dill .pt .pth .ckpt",
    "text": ".txt .log .yaml .yml .toml .ini .cfg .conf .py .r .sql .sh .html .htm "
    ".svg .xml .css .js .jsonl .tex .rst .env .lock",
}
_KIND_OF: Final = {
    ending: kind for kind, endings in _KINDS.items() for ending in endings.split()
}
_UNREAD: Final = {"image", "parquet", "pickle", "none"}
_PLAIN_NAMES: Final = {"MLproject", "Dockerfile", "Makefile"}


@dataclass
class Preview:
    """What is shown of a file.

    Args:
        kind: `image`, `table`, `json`, `markdown`, `text`, `mlmodel`, `onnx`,
            `parquet`, `pickle` or `none`.
        text: of a text, as far as it is shown.
        columns: of a table.
        rows: of a table.
        note: a sentence about what is not shown, or why nothing is.
        facts: pairs of a name and a value, of a model.
        onnx: of an ONNX model.
    """

    kind: str
    text: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    note: str = ""
    facts: list[tuple[str, Any]] = field(default_factory=list)
    onnx: OnnxSummary | None = None


def kind_of(artifact: StoredFile) -> str:
    """Say by its name how a file can be shown."""
    name = artifact.file_name
    if name == MLMODEL:
        return "mlmodel"
    if name in _PLAIN_NAMES:
        return "text"
    return _KIND_OF.get(PurePosixPath(name).suffix.lower(), "none")


def is_read(artifact: StoredFile) -> bool:
    """Say whether a preview shows what is in the file, so that it counts as a read."""
    return kind_of(artifact) not in _UNREAD


def preview(artifact: StoredFile) -> Preview:
    """Show a file as far as that is safe; a damaged one says so."""
    kind = kind_of(artifact)
    if kind in _UNREAD:
        return _unread(kind, artifact)
    readers: dict[str, Callable[[StoredFile], Preview]] = {
        "table": _table,
        "json": _json,
        "mlmodel": _mlmodel,
        "onnx": _onnx,
    }
    return readers.get(kind, _text)(artifact)


def picture_type(head: bytes) -> str | None:
    """Say which picture begins like this; None for anything else, SVG included."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next(
        (kind for sign, kind in _PICTURES.items() if head.startswith(sign)), None
    )


def open_picture(artifact: StoredFile) -> str | None:
    """Say which picture a file really is; None when it is none, or is too large."""
    if kind_of(artifact) != "image" or artifact.size_bytes > MOST_IMAGE_BYTES:
        return None
    return picture_type(_read(artifact, _HEAD))


def _unread(kind: str, artifact: StoredFile) -> Preview:
    if kind == "pickle":
        return Preview(
            kind,
            note="A pickle runs whatever its maker put into it when it is opened. The "
            "portal never opens one; download it only if you trust who made it.",
        )
    if kind == "parquet":
        return Preview(
            kind,
            note="Parquet is read by native code, so the portal opens it only in the "
            "sandbox. Upload the file as a dataset to see what is in it.",
        )
    if kind == "image" and artifact.size_bytes > MOST_IMAGE_BYTES:
        return Preview("none", note="This picture is too large to be shown here.")
    if kind == "image":
        return Preview(kind)
    return Preview(kind, note="Files of this kind are not shown here; download it.")


def _read(artifact: StoredFile, most: int) -> bytes:
    with blobs.open_blob(artifact.sha256) as file:
        return file.read(most)


def _decoded(content: bytes) -> str | None:
    """Read bytes as text; None when they are none.

    A character that was cut off at the end is left out.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if b"\x00" in content:
        return None
    return content.decode("utf-8-sig", errors="replace").rstrip("\ufffd")


def _cut(artifact: StoredFile, shown: int = MOST_BYTES) -> str:
    if artifact.size_bytes <= shown:
        return ""
    return f"Only the first {shown:,} of {artifact.size_bytes:,} bytes are shown."


def _text(artifact: StoredFile) -> Preview:
    text = _decoded(_read(artifact, MOST_BYTES))
    if text is None:
        return Preview("none", note="This file is not text.")
    note = _cut(artifact)
    kind = "markdown" if kind_of(artifact) == "markdown" and not note else "text"
    return Preview(kind, text=text, note=note)


def _table(artifact: StoredFile) -> Preview:
    text = _decoded(_read(artifact, MOST_BYTES))
    if text is None:
        return Preview("none", note="This file is not text.")
    is_cut = artifact.size_bytes > MOST_BYTES
    if is_cut and "\n" in text:
        text = text.rpartition("\n")[0]  # half a row
    separator = "\t" if artifact.path.lower().endswith(".tsv") else ","
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    return _shown(rows[0] if rows else [], rows[1:], is_cut=is_cut)


def _shown(columns: list[Any], rows: list[list[Any]], *, is_cut: bool) -> Preview:
    """Show the beginning of a table."""
    said = []
    if is_cut or len(rows) > MOST_ROWS:
        said.append(f"The first {min(len(rows), MOST_ROWS):,} rows are shown.")
    widest = max([len(columns), *map(len, rows[:MOST_ROWS])])
    if widest > MOST_COLUMNS:
        said.append(f"The first {MOST_COLUMNS} of {widest:,} columns are shown.")
    return Preview(
        "table",
        columns=[_cell(one) for one in columns[:MOST_COLUMNS]],
        rows=[[_cell(one) for one in row[:MOST_COLUMNS]] for row in rows[:MOST_ROWS]],
        note=" ".join(said),
    )


def _sendable(text: str) -> str:
    """Replace halves of characters, which JSON can escape and no page can hold."""
    return text.encode("utf-8", errors="replace").decode()


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = _sendable(text)
    return text if len(text) <= MOST_CELL else f"{text[:MOST_CELL]}…"


def _json(artifact: StoredFile) -> Preview:
    if artifact.size_bytes > MOST_JSON_BYTES:
        return _text(artifact)
    text = _decoded(_read(artifact, MOST_JSON_BYTES))
    if text is None:
        return Preview("none", note="This file is not text.")
    try:
        value = json.loads(text)
        if table := _logged_table(value):
            return table
        pretty = _sendable(json.dumps(value, indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        note = "This is not JSON that can be read; it is shown as it is."
        return Preview("text", text=text[:MOST_BYTES], note=note)
    if len(pretty) > MOST_BYTES:
        note = f"Only the first {MOST_BYTES:,} characters are shown."
        return Preview("json", text=pretty[:MOST_BYTES], note=note)
    return Preview("json", text=pretty)


def _logged_table(value: Any) -> Preview | None:
    """Show what MLflow's `log_table` writes: columns, and rows as lists."""
    if not isinstance(value, dict) or set(value) != {"columns", "data"}:
        return None
    columns, rows = value["columns"], value["data"]
    is_table = isinstance(columns, list) and isinstance(rows, list)
    if not is_table or not all(isinstance(row, list) for row in rows):
        return None
    return _shown(columns, rows, is_cut=False)


def _onnx(artifact: StoredFile) -> Preview:
    try:
        with blobs.open_blob(artifact.sha256) as file:
            return Preview("onnx", onnx=summarise(file))
    except NotOnnx as error:
        return Preview("none", note=str(error))


def _mlmodel(artifact: StoredFile) -> Preview:
    """Show what MLflow wrote beside a model: how it is loaded, and what it takes."""
    shown = _text(artifact)
    if shown.kind != "text" or shown.note:
        return shown
    try:
        told = load_yaml(shown.text)
    except YamlFault:
        return shown
    if not isinstance(told, dict):
        return shown
    facts = [
        (title, _cell(told[key]))
        for key, title in (
            ("model_id", "Logged model"),
            ("mlflow_version", "MLflow"),
            ("utc_time_created", "Made at (UTC)"),
            ("model_size_bytes", "Bytes"),
        )
        if told.get(key) not in (None, "")
    ]
    flavors = told.get("flavors")
    if isinstance(flavors, dict):
        facts.insert(0, ("Can be loaded as", ", ".join(map(_cell, flavors))))
    signature = told.get("signature")
    if isinstance(signature, dict):
        facts += [
            (title, _columns(signature.get(key)))
            for key, title in (("inputs", "Takes"), ("outputs", "Gives"))
            if signature.get(key)
        ]
    return Preview("mlmodel", text=shown.text, facts=facts)


def _columns(schema: Any) -> str:
    """Say a schema in words; MLflow keeps it as JSON in a text."""
    try:
        columns = json.loads(schema) if isinstance(schema, str) else schema
    except (ValueError, RecursionError):
        return _cell(schema)
    if not isinstance(columns, list):
        return _cell(columns)
    return ", ".join(_column(one) for one in columns[:MOST_COLUMNS])


def _column(one: Any) -> str:
    if not isinstance(one, dict):
        return _cell(one)
    spec = one.get("tensor-spec")
    kind = spec.get("dtype", "") if isinstance(spec, dict) else one.get("type", "")
    shape = spec.get("shape", "") if isinstance(spec, dict) else ""
    return " ".join(
        _cell(part) for part in (one.get("name", ""), kind, shape) if part not in ("",)
    )
