"""Export a pipeline to ONNX, and publish it only if it gives the same answers.

Some conversions are wrong without an error, so every export is replayed on real rows,
rows with nothing but missing numbers and rows with categories nobody has seen.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
from numpy.typing import NDArray
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.pipeline import Pipeline

from engine.features import Layout, Table
from engine.folder import EngineError, Json
from engine.measures import Floats

LARGEST_GAP = 1e-4
REPLAYED_ROWS = 500
UNSEEN = "\N{REPLACEMENT CHARACTER} never seen"
_ODD_ROWS = 20
_OPSET = {"": 21, "ai.onnx.ml": 3}


def export(pipeline: Pipeline, sample: Table, path: Path, threads: int) -> Json:
    """Write `path` if the exported model agrees with the pipeline.

    Args:
        pipeline: fitted.
        sample: rows, of which the first are replayed, with missing numbers and unseen
            categories added.
        path: where to write; nothing is left there when the export is refused.
        threads: of the replay.

    Returns:
        `exported`, `reason` and `max_gap`: the largest gap of a probability, or of
        a predicted value as a ratio of its size where that is above 1.
    """
    layout = sample.layout
    try:
        model = _convert(pipeline, layout)
        rows = _replayed(sample)
        gap, is_same = _compare(pipeline, model, layout, rows, threads)
    except (EngineError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - converters raise anything; see reason
        name = type(pipeline[-1]).__name__
        reason = f"{name} cannot be converted to ONNX ({type(error).__name__})."
        return {"exported": False, "reason": reason, "max_gap": None}
    if gap > LARGEST_GAP or not is_same:
        reason = "The exported model gave other answers when rows were replayed."
        return {"exported": False, "reason": reason, "max_gap": gap}
    path.write_bytes(model)
    return {"exported": True, "reason": "", "max_gap": gap}


def _convert(pipeline: Pipeline, layout: Layout) -> bytes:
    """Convert under a fixed name, so that equal pipelines give equal bytes."""
    with warnings.catch_warnings():
        # The converter hands numpy scalars to protobuf, which is to end with 7, and
        # looks at attributes of support vector machines that are to end.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        model = convert_sklearn(
            pipeline,
            name="model",
            initial_types=_inputs(layout),
            target_opset=_OPSET,
            options=_options(pipeline),
        )
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def _inputs(layout: Layout) -> list[tuple[str, Any]]:
    numbers = FloatTensorType([None, len(layout.numbers)])
    categories = StringTensorType([None, len(layout.categories)])
    found = [("numbers", numbers), ("categories", categories)]
    return [(name, kind) for name, kind in found if kind.shape[1]]


def _options(pipeline: Pipeline) -> dict[int, dict[str, bool]]:
    """Ask a classifier for probabilities as a matrix."""
    is_classifier = hasattr(pipeline, "predict_proba")
    return {id(pipeline): {"zipmap": False}} if is_classifier else {}


def _replayed(sample: Table) -> pd.DataFrame:
    rows = sample.take(np.arange(min(len(sample), REPLAYED_ROWS))).frame()
    missing, unseen = rows.iloc[:_ODD_ROWS].copy(), rows.iloc[:_ODD_ROWS].copy()
    count = len(sample.layout.numbers)
    for place in range(count):
        missing.isetitem(place, np.nan)
    for place in range(count, rows.shape[1]):
        unseen.isetitem(place, UNSEEN)
    return pd.concat([rows, missing, unseen], ignore_index=True)


def _compare(
    pipeline: Pipeline,
    model: bytes,
    layout: Layout,
    rows: pd.DataFrame,
    threads: int,
) -> tuple[float, bool]:
    answers = _run(model, layout, rows, threads)
    if not hasattr(pipeline, "predict_proba"):
        expected = np.asarray(pipeline.predict(rows), dtype=np.float64)
        gaps = np.abs(answers[0].ravel() - expected) / np.maximum(1, np.abs(expected))
        return float(gaps.max()), True
    labels, probabilities = answers
    gap = float(np.abs(probabilities - pipeline.predict_proba(rows)).max())
    return gap, bool((labels.astype(str) == pipeline.predict(rows)).all())


def _run(
    model: bytes, layout: Layout, rows: pd.DataFrame, threads: int
) -> list[NDArray[Any] | Floats]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options)
    count = len(layout.numbers)
    given = {
        "numbers": rows.iloc[:, :count].to_numpy(np.float32),
        "categories": rows.iloc[:, count:].to_numpy(object),
    }
    names = [found.name for found in session.get_inputs()]
    answers: list[Any] = session.run(None, {name: given[name] for name in names})
    return answers
