"""Model files are read without running what a stranger put into them."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from engine import onnx_export
from engine.features import Reading, Table
from engine.folder import EngineError
from engine.package import load_model, save_model
from engine.spec import Feature


def test_load_refuses_a_hostile_model(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skops.io.dump(make_pipeline(FunctionTransformer(os.system)), path)

    with pytest.raises(EngineError, match=r"holds posix\.system"):
        load_model(path)


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"PK\x03\x04broken"])
def test_load_refuses_damaged_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(content)

    with pytest.raises(EngineError, match="damaged or not a model"):
        load_model(path)


def test_load_refuses_a_zip_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.txt", "text")

    with pytest.raises(EngineError, match="damaged or not a model"):
        load_model(path)


def test_load_refuses_what_is_no_pipeline(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skops.io.dump({"a": 1}, path)

    with pytest.raises(EngineError, match="holds no pipeline"):
        load_model(path)


def test_save_and_load_keep_every_answer(tmp_path: Path) -> None:
    rows, target = np.random.default_rng(0).random((50, 3)), np.arange(50.0)
    pipeline = make_pipeline(LinearRegression()).fit(rows, target)

    save_model(pipeline, tmp_path / "model.skops")

    loaded = load_model(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict(rows), pipeline.predict(rows))


READING = Reading(
    features=[Feature("a", "number"), Feature("b", "number")],
    target="c",
    task="regression",
    text_buckets=8,
)


def numbers(rows: int = 30) -> Table:
    return Table(
        rows=np.arange(rows),
        numbers=np.random.default_rng(0).random((rows, 2)),
        codes=np.empty((rows, 0), np.int32),
        levels=(),
        target=np.arange(float(rows)),
        classes=np.empty(0, str),
        layout=READING.layout(),
    )


def test_export_is_refused_when_answers_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_export, "LARGEST_GAP", -1.0)
    monkeypatch.setattr(onnx_export, "_ODD_ROWS", 0)
    table = numbers()
    pipeline = make_pipeline(LinearRegression()).fit(table.frame(), table.target)

    found = onnx_export.export(pipeline, table, tmp_path / "model.onnx", threads=1)

    assert not found["exported"]
    assert "other answers" in found["reason"]
    assert not (tmp_path / "model.onnx").exists()


def test_export_says_what_cannot_be_converted(tmp_path: Path) -> None:
    table = numbers()
    pipeline = make_pipeline(FunctionTransformer(np.log1p), LinearRegression())
    pipeline.fit(table.frame(), table.target)

    found = onnx_export.export(pipeline, table, tmp_path / "model.onnx", threads=1)

    assert found["reason"].startswith("LinearRegression cannot be converted to ONNX")


def test_export_lets_limits_through(tmp_path: Path) -> None:
    class Greedy:
        @property
        def predict_proba(self) -> None:
            raise MemoryError

    with pytest.raises(MemoryError):
        onnx_export.export(Greedy(), numbers(), tmp_path / "model.onnx", threads=1)
