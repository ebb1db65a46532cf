"""Models that are known by their ONNX file alone, friendly and hostile."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper
from sklearn.metrics import accuracy_score

from engine import onnx_file, onnx_model
from engine.tensors import Tensor
from tests.engine import onnx_models as models
from tests.engine.jobs import Job, Json
from tests.engine.tables import (
    evaluate_spec,
    hand_over,
    put_table,
    strikes,
    train_spec,
)

DIGITS = {"task": "multiclass", "target": "label", "positive_label": None, "cost": None}
NUMBER = {"task": "regression", "target": "y", "positive_label": None, "cost": None}


def family(result: Json, slug: str) -> Json:
    (found,) = (one for one in result["families"] if one["slug"] == slug)
    return found


def by_measure(result: Json) -> dict[str, float]:
    return {found["measure"]: found["value"] for found in result["measures"]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Job:
    job = Job(tmp_path_factory.mktemp("onnx") / "job")
    put_table(job.inputs / "data.parquet", strikes())
    job.succeed("train", train_spec())
    return job


def as_onnx(trained: Job, job: Job, place: str = "") -> None:
    """Hand over the exported model without the pipeline it came from."""
    hand_over(trained, job, place)
    (job.inputs / place / "model.skops").unlink()
    shutil.copy(trained.outputs / "model.onnx", job.inputs / place / "model.onnx")


def test_an_exported_model_is_judged_like_its_pipeline(trained, tmp_path) -> None:
    both, alone = Job(tmp_path / "both"), Job(tmp_path / "alone")
    hand_over(trained, both)
    as_onnx(trained, alone)
    for job in (both, alone):
        shutil.copy(trained.inputs / "data.parquet", job.inputs / "train.parquet")
    spec = evaluate_spec(subgroup_columns=["size"], min_group_size=5)

    first, second = (job.succeed("evaluate", spec) for job in (both, alone))

    assert by_measure(second) == pytest.approx(by_measure(first), abs=1e-4)
    for one, other in zip(first["families"], second["families"], strict=True):
        assert one["not_tested"] == other["not_tested"]
        if one["slug"] != "runtime":
            expected = {f["slug"]: f["value"] for f in one["figures"]}
            found = {f["slug"]: f["value"] for f in other["figures"]}
            assert found == pytest.approx(expected, abs=1e-3, nan_ok=True)
    assert second["confusion"] == first["confusion"]
    figures = {f["slug"]: f["value"] for f in family(second, "runtime")["figures"]}
    size = (trained.outputs / "model.onnx").stat().st_size
    assert figures["model_bytes"] == size


def test_kinds_of_models_can_be_compared(trained, tmp_path) -> None:
    job = Job(tmp_path / "job")
    hand_over(trained, job)
    as_onnx(trained, job, "champion")

    result = job.succeed("evaluate", evaluate_spec())

    gaps = [one["difference"] for one in result["champion"]["measures"]]
    assert np.abs(gaps).max() < 1e-4


def digit_job(path: Path, cells: Any, **signature: Any) -> tuple[Job, Json]:
    _, labels, fitted = models.digits()
    job = Job(path)
    told = models.digit_signature(**signature)
    rows = pd.DataFrame({"image": cells, "label": labels})
    shape = [None, *Tensor(**told["tensor"]).shape]
    models.lay(job, models.picture_model(fitted, shape), told, rows)
    return job, evaluate_spec(**DIGITS)


@pytest.mark.parametrize("kind", ["files", "lists", "last"])
def test_pictures_are_judged_as_scikit_learn_would(kind, tmp_path) -> None:
    pictures, labels, fitted = models.digits()
    flat = pictures.reshape(len(pictures), -1) / 255
    tensor = models.TENSOR | {"layout": "NHWC" if kind == "last" else "NCHW"}
    cells = [models.png(one) for one in pictures] if kind != "lists" else list(flat)
    job, spec = digit_job(tmp_path / "job", cells, tensor=tensor)

    result = job.succeed("evaluate", spec)

    expected = accuracy_score(labels, fitted.predict(flat))
    assert by_measure(result)["accuracy"] == pytest.approx(expected)
    assert expected > 0.8
    assert np.trace(result["confusion"]["matrix"]) == round(expected * len(labels))
    reasons = {one["slug"]: one["not_tested"] for one in result["families"]}
    for slug in ("robustness", "explanation", "drift"):
        assert "pictures only" in reasons[slug]
    assert not reasons["leakage"]
    assert not reasons["runtime"]


def test_classes_keep_their_names_in_any_order(tmp_path) -> None:
    pictures, labels, fitted = models.digits()
    turned = list(range(9, -1, -1))
    fitted = copy.deepcopy(fitted)
    fitted.coef_, fitted.intercept_ = fitted.coef_[turned], fitted.intercept_[turned]
    classes = [models.DIGITS[place] for place in turned]
    job = Job(tmp_path / "job")
    rows = pd.DataFrame({"image": map(models.png, pictures), "label": labels})
    model = models.picture_model(fitted, [None, 1, 8, 8])
    models.lay(job, model, models.digit_signature(classes=classes), rows)

    result = job.succeed("evaluate", evaluate_spec(**DIGITS))

    assert by_measure(result)["accuracy"] > 0.8
    assert result["confusion"]["labels"] == models.DIGITS


def test_pictures_are_scaled_and_shifted_as_the_signature_says() -> None:
    tensor = Tensor("NHWC", 3, 2, 2, divisor=255, mean=(0.5, 0, 0), std=(1, 1, 2))
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[..., 2] = 255

    found = tensor.of(models.png(picture, "PNG", 4))

    assert found.shape == (2, 2, 3)
    assert found[0, 0].tolist() == [-0.5, 0, 0.5]
    grey = Tensor("NCHW", 1, 4, 4).of(models.png(picture, "JPEG", 16))
    assert grey.shape == (1, 4, 4)
    assert grey.mean() == pytest.approx(29 / 255, abs=0.02)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (None, "holds no picture"),
        (b"GIF89a", "not a picture that can be read"),
        ([0.5] * 63, "holds 63 numbers, not 64"),
        ([np.nan] * 64, "missing or infinite"),
    ],
)
def test_a_wrong_picture_is_named_by_its_row(cell, said, tmp_path) -> None:
    pictures, _, _ = models.digits()
    is_list = isinstance(cell, list)
    cells: list[Any] = [
        list(map(float, one.ravel())) if is_list else models.png(one)
        for one in pictures
    ]
    cells[6] = cell
    job, spec = digit_job(tmp_path / "job", cells)

    message = job.refuse("evaluate", spec)["message"]

    assert 'Row 7 of "image"' in message
    assert said in message


def test_many_pictures_are_never_in_memory_together(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(onnx_model, "MOST_NUMBERS", 64 * 7)
    pictures, _, _ = models.digits()
    largest = []
    ask = onnx_model.OnnxModel._ask

    def watched(self: Any, given: Any, rows: int) -> Any:
        largest.append(given["pictures"].shape)
        return ask(self, given, rows)

    monkeypatch.setattr(onnx_model.OnnxModel, "_ask", watched)
    job, spec = digit_job(tmp_path / "job", [models.png(one) for one in pictures])

    result = job.succeed("evaluate", spec)

    assert by_measure(result)["accuracy"] > 0.8
    assert {shape[0] for shape in largest} <= {1, 6, 7}


def test_a_model_for_one_row_at_a_time_is_asked_so(tmp_path) -> None:
    job = Job(tmp_path / "job")
    rows = pd.DataFrame({"x": np.arange(40.0), "y": np.arange(40.0)})
    models.lay(job, models.same("x", "value", [1, 1]), numbers(), rows)

    result = job.succeed("evaluate", evaluate_spec(**NUMBER))

    assert by_measure(result)["rmse"] == 0


def numbers(*names: str, **changes: Any) -> Json:
    names = names or ("x",)
    signature = {
        "task": "regression",
        "target": "y",
        "inputs": [{"name": n, "kind": "number", "type": "number"} for n in names],
        "numbers": list(names),
        "categories": [],
        "outputs": ["value"],
    }
    return signature | changes


def test_columns_are_taken_one_by_one_by_their_names(tmp_path) -> None:
    whole = helper.make_tensor_value_info("b", TensorProto.INT64, [None])
    nodes = [
        helper.make_node("Cast", ["b"], ["as_float"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["as_float", "axis"], ["column"]),
        helper.make_node("Sub", ["a", "column"], ["value"]),
    ]
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    content = models.model_of(
        nodes,
        [whole, models.floats("a", [None, 1])],
        [models.floats("value", [None, 1])],
        initializer=[axis],
    )
    a, b = np.arange(50.0), np.arange(50) % 7
    rows = pd.DataFrame({"a": a, "b": b, "y": a - b})
    job = Job(tmp_path / "job")
    models.lay(job, content, numbers("a", "b"), rows)

    result = job.succeed("evaluate", evaluate_spec(**NUMBER))

    assert by_measure(result)["rmse"] == 0
    assert "whole numbers" in family(result, "robustness")["not_tested"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not a model", "damaged or not an ONNX model"),
        (b"", "damaged or not an ONNX model"),
        (models.external(Path("/etc/passwd")), "never read"),
        (models.hidden_external(), "never read"),
        (models.foreign(), "cannot be opened"),
        (models.same("z", "value", [None, 3]), 'The input "z"'),
        (models.same("x", "value", [None, 1, 1]), "cannot answer these rows"),
    ],
    ids=["noise", "empty", "external", "hidden", "foreign", "input", "shape"],
)
def test_a_hostile_file_is_refused_in_words(content, said, tmp_path) -> None:
    job = Job(tmp_path / "job")
    rows = pd.DataFrame({"x": np.arange(40.0), "y": np.arange(40.0)})
    models.lay(job, content, numbers(), rows)

    assert said in job.refuse("evaluate", evaluate_spec(**NUMBER))["message"]


def test_a_model_that_wants_too_much_memory_says_so(tmp_path) -> None:
    job = Job(tmp_path / "job")
    rows = pd.DataFrame({"x": np.arange(40.0), "y": np.arange(40.0)})
    models.lay(job, models.greedy(), numbers(), rows)

    result = job.run("evaluate", evaluate_spec(**NUMBER))

    assert (result["status"], result["code"]) == ("failed", "out_of_memory")


def test_a_large_file_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(onnx_file, "MOST_BYTES", 50)
    job = Job(tmp_path / "job")
    rows = pd.DataFrame({"x": np.arange(40.0), "y": np.arange(40.0)})
    models.lay(job, models.same("x", "value", [None, 1]), numbers(), rows)

    assert "more than 50" in job.refuse("evaluate", evaluate_spec(**NUMBER))["message"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": ["a", "b"]}, "must list the classes"),
        ({"inputs": [], "numbers": []}, 'The input "x"'),
        ({"tensor": models.TENSOR}, '"tensor"'),
        ({"tensor": {"layout": "NCHW"}}, "is not a signature"),
        ({"tensor": models.TENSOR | {"width": 10**9}}, "is not a signature"),
    ],
)
def test_a_signature_that_does_not_fit_is_refused(changes, said, tmp_path) -> None:
    job = Job(tmp_path / "job")
    rows = pd.DataFrame({"x": np.arange(40.0), "y": np.arange(40.0)})
    content = models.same("x", "value", [None, 1])
    models.lay(job, content, numbers(**changes), rows)

    assert said in job.refuse("evaluate", evaluate_spec(**NUMBER))["message"]


def test_a_tensor_is_not_for_pipelines(trained, tmp_path) -> None:
    job = Job(tmp_path / "job")
    hand_over(trained, job)
    path = job.inputs / "signature.json"
    path.write_text(
        json.dumps(json.loads(path.read_text()) | {"tensor": models.TENSOR})
    )

    assert '"tensor"' in job.refuse("evaluate", evaluate_spec())["message"]


def test_answers_that_are_no_probabilities_are_refused(tmp_path) -> None:
    job = Job(tmp_path / "job")
    rows = pd.DataFrame(
        {"a": np.arange(40.0), "b": np.arange(40.0), "y": ["u", "v"] * 20}
    )
    signature = numbers("a", "b", task="binary", classes=["u", "v"], positive_label="v")
    models.lay(job, models.same("x", "p", [None, 2]), signature, rows)

    spec = evaluate_spec(target="y", positive_label="v", cost=None)

    assert "softmax or sigmoid" in job.refuse("evaluate", spec)["message"]


def test_one_probability_is_that_of_the_positive_class(tmp_path) -> None:
    job = Job(tmp_path / "job")
    chance = np.linspace(0.01, 0.99, 60)
    rows = pd.DataFrame({"x": chance, "y": np.where(chance > 0.5, "a", "z")})
    told = numbers(task="binary", classes=["a", "z"], positive_label="a")
    models.lay(job, models.same("x", "p", [None, 1]), told, rows)

    spec = evaluate_spec(target="y", positive_label="a", cost=None)

    assert by_measure(job.succeed("evaluate", spec))["roc_auc"] == 1


def test_own_code_may_leave_an_onnx_file_alone(trained, tmp_path) -> None:
    job = Job(tmp_path / "job")
    job.outputs.mkdir()
    for name in ("model.onnx", "signature.json"):
        shutil.copy(trained.outputs / name, job.outputs / name)

    kept = job.succeed("check_code", {})

    assert kept["note"] == ""
    assert kept["signature"] == json.loads(
        (trained.outputs / "signature.json").read_text()
    )
    (job.outputs / "model.onnx").write_bytes(models.external(Path("/etc/passwd")))
    refused = job.succeed("check_code", {})
    assert refused["signature"] is None
    assert "cannot be registered" in refused["note"]
