"""Model files: written the same byte for byte, read without running foreign code."""

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import skops.io
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from engine.features import Reading
from engine.folder import EngineError, Folder, Json
from engine.spec import Feature, Images, Kind, SpecError, Task, decode
from engine.tensors import Tensor

# Types outside skops' own list that our pipelines hold. Each was looked at: it keeps
# numbers and runs nothing when it is loaded. `functools.partial` and functions must
# never come here; anything not listed is refused.
REVIEWED_TYPES = (
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
)
MEDIA_TYPES = {
    ".json": "application/json",
    ".onnx": "application/onnx",
    ".parquet": "application/vnd.apache.parquet",
    ".skops": "application/zip",
    ".zip": "application/zip",
}
MODEL_FILE, ONNX_FILE = "model.skops", "model.onnx"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can hold


@dataclass(frozen=True)
class Input:
    """One feature as a caller gives it; `type` is that of the dataset's column."""

    name: str
    kind: Kind
    type: str


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What goes into a model and what comes out, as `signature.json`.

    Attributes:
        numbers: number columns of the exported model's input `numbers`, in order.
        categories: text columns of its input `categories`, in order.
        outputs: what a prediction holds.
        classes: in the order of the probabilities; empty for regression.
        threshold: for a binary model, applied outside of it.
        text_buckets: into how many numbers a text is counted.
        images: how pictures become numbers.
        tensor: how the pictures of the one input of the kind `image` are given to a
            model that is known by its ONNX file alone.
    """

    task: Task
    target: str
    inputs: tuple[Input, ...]
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    outputs: tuple[str, ...]
    classes: tuple[str, ...] = ()
    positive_label: str | None = None
    threshold: float | None = None
    text_buckets: int = 0
    images: Images = field(default_factory=Images)
    tensor: Tensor | None = None

    @property
    def tensor_column(self) -> str | None:
        """The column of pictures that `tensor` is about, where there is exactly one."""
        names = [found.name for found in self.inputs if found.kind == "image"]
        return names[0] if self.tensor is not None and len(names) == 1 else None

    def reading(self) -> Reading:
        """Say how rows are read for this model; a tensor is not read with them."""
        return Reading(
            features=[
                Feature(found.name, found.kind)
                for found in self.inputs
                if self.tensor is None or found.kind != "image"
            ],
            target=self.target,
            task=self.task,
            text_buckets=self.text_buckets,
            images=self.images,
        )

    def to_json(self) -> Json:
        """Return plain JSON values."""
        plain: Json = json.loads(json.dumps(asdict(self)))
        if self.tensor is None:
            del plain["tensor"]
        return plain


def read_signature(path: Path) -> Signature:
    """Read `signature.json`.

    Raises:
        EngineError: it is not one.
    """
    try:
        signature: Signature = decode(Signature, json.loads(path.read_text("utf-8")))
    except (SpecError, ValueError) as error:
        raise EngineError(f"{path.name} is not a signature ({error}).") from error
    return signature


def of_pipeline(signature: Signature) -> Signature:
    """Return the signature of a pipeline, where somebody else may have written it.

    Raises:
        EngineError: it is that of an ONNX model.
    """
    if signature.tensor is not None:
        raise EngineError(
            f'"tensor" in signature.json is for {ONNX_FILE} alone; leave it out beside '
            f"{MODEL_FILE}."
        )
    return signature


def save_model(pipeline: Pipeline, path: Path) -> None:
    """Write a fitted pipeline; equal pipelines give equal bytes."""
    path.write_bytes(dumps(pipeline))


def dumps(pipeline: Pipeline) -> bytes:
    """Return the file of a fitted pipeline; equal pipelines give equal bytes.

    skops names parts by memory address and stamps them with the time; both are
    replaced, by the order of the parts and by a constant.
    """
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(pipeline))) as written:
        schema = json.loads(written.read("schema.json"))
        numbers: dict[str, int] = {}
        _renumber(schema, numbers)
        parts = {
            f"{numbers[stem]}{suffix}": written.read(name)
            for name in written.namelist()
            for stem, suffix in [_split_name(name)]
            if stem in numbers
        }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(parts):
            add_entry(archive, name, parts[name])
        add_entry(archive, "schema.json", json.dumps(schema).encode())
    return target.getvalue()


def load_model(path: Path) -> Pipeline:
    """Read a pipeline that holds reviewed types only.

    Raises:
        EngineError: it holds another type, which is named, or is no model.
    """
    try:
        model = skops.io.load(path, trusted=list(REVIEWED_TYPES))
    except UntrustedTypesFoundException as error:
        foreign = set(skops.io.get_untrusted_types(file=path)) - set(REVIEWED_TYPES)
        names = ", ".join(sorted(foreign))
        raise EngineError(
            f"The model holds {names}, which is not on the list of reviewed types; "
            "train it with an estimator of this engine."
        ) from error
    except (zipfile.BadZipFile, LookupError, ValueError, TypeError, OSError) as error:
        message = "model.skops is damaged or not a model; register the run again."
        raise EngineError(message) from error
    if not isinstance(model, Pipeline):
        raise EngineError("model.skops holds no pipeline; register the run again.")
    return model


def manifest(folder: Folder) -> list[Json]:
    """List the files under `outputs/` with digest, size in bytes and media type."""
    return [
        {
            "path": f"outputs/{path.name}",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "size_bytes": path.stat().st_size,
            "media_type": MEDIA_TYPES[path.suffix],
        }
        for path in sorted(folder.outputs.iterdir())
    ]


def _renumber(node: Any, numbers: dict[str, int]) -> None:
    """Replace addresses, depth first, by the order in which they are met."""
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers)
    if isinstance(node, dict):
        if "__id__" in node:
            node["__id__"] = _number(str(node["__id__"]), numbers)
        if isinstance(node.get("file"), str):
            stem, suffix = _split_name(node["file"])
            node["file"] = f"{_number(stem, numbers)}{suffix}"
        for item in node.values():
            _renumber(item, numbers)


def _number(address: str, numbers: dict[str, int]) -> int:
    return numbers.setdefault(address, len(numbers) + 1)


def _split_name(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    return stem, dot + suffix


def add_entry(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file to a zip, without the time and the system it was written on."""
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)
