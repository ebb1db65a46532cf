"""Small ONNX models, and ones that were made to harm."""

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from tests.engine.jobs import Job, Json
from tests.engine.tables import put_table

DIGITS = [str(digit) for digit in range(10)]
TENSOR = {"layout": "NCHW", "channels": 1, "height": 8, "width": 8, "divisor": 255.0}


def model_of(nodes: list[Any], inputs: Any, outputs: Any, **more: Any) -> bytes:
    """Put a graph together."""
    graph = helper.make_graph(nodes, "model", inputs, outputs, **more)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    made.ir_version = 10
    content: bytes = made.SerializeToString()
    return content


def floats(name: str, shape: list[Any]) -> Any:
    """Name an input or output."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


@cache
def digits() -> tuple[np.ndarray[Any, Any], list[str], LogisticRegression]:
    """Return pictures, shape (n, 8, 8), their labels, and a fitted model."""
    found = load_digits()
    pictures = np.round(found.images * 255 / 16).astype(np.uint8)
    labels = [str(label) for label in found.target]
    fitted = LogisticRegression(max_iter=200).fit(
        pictures.reshape(len(pictures), -1)[:500] / 255, labels[:500]
    )
    return pictures[500:800], labels[500:800], fitted


def picture_model(fitted: LogisticRegression, shape: list[Any]) -> bytes:
    """Write the fitted model as one that takes pictures of `shape` as a tensor."""
    weights = numpy_helper.from_array(fitted.coef_.T.astype(np.float32), "weights")
    bias = numpy_helper.from_array(fitted.intercept_.astype(np.float32), "bias")
    return model_of(
        [
            helper.make_node("Flatten", ["pictures"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["product"]),
            helper.make_node("Add", ["product", "bias"], ["odds"]),
            helper.make_node("Softmax", ["odds"], ["probabilities"], axis=1),
        ],
        [floats("pictures", shape)],
        [floats("probabilities", [shape[0], 10])],
        initializer=[weights, bias],
    )


def png(picture: np.ndarray[Any, Any], kind: str = "PNG", size: int = 8) -> bytes:
    """Return the file of a picture."""
    out = io.BytesIO()
    Image.fromarray(picture).resize((size, size), Image.Resampling.NEAREST).save(
        out, kind
    )
    return out.getvalue()


def digit_signature(**changes: Any) -> Json:
    """Say what `picture_model` takes and answers."""
    signature = {
        "task": "multiclass",
        "target": "label",
        "inputs": [{"name": "image", "kind": "image", "type": "image"}],
        "numbers": [],
        "categories": [],
        "outputs": ["probabilities"],
        "classes": DIGITS,
        "tensor": TENSOR,
    }
    return signature | changes


def lay(job: Job, model: bytes, signature: Json, rows: pd.DataFrame) -> None:
    """Give a job a model that is known by its ONNX file, and rows to judge it on."""
    (job.inputs / "model.onnx").write_bytes(model)
    (job.inputs / "signature.json").write_text(json.dumps(signature))
    put_table(job.inputs / "test.parquet", rows)


def external(path: Path) -> bytes:
    """Return a model that asks for the numbers in the file at `path`."""
    tensor = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[1, 1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=str(path))
    node = helper.make_node("MatMul", ["numbers", "weights"], ["value"])
    inputs, outputs = [floats("numbers", [None, 1])], [floats("value", [None, 1])]
    return model_of([node], inputs, outputs, initializer=[tensor])


def hidden_external() -> bytes:
    """Hide such a tensor in an attribute of a node of a branch."""
    secret = TensorProto(name="c", data_type=TensorProto.FLOAT, dims=[1])
    secret.data_location = TensorProto.EXTERNAL
    secret.external_data.add(key="location", value="/etc/passwd")
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["out"], value=secret)],
        "branch",
        [],
        [floats("out", [1])],
    )
    condition = helper.make_node(
        "Constant",
        [],
        ["yes"],
        value=helper.make_tensor("yes", TensorProto.BOOL, [1], [True]),
    )
    branch = helper.make_node(
        "If", ["yes"], ["value"], then_branch=inner, else_branch=inner
    )
    return model_of([condition, branch], [], [floats("value", [1])])


def foreign() -> bytes:
    """Return a model with an operator that nobody has."""
    node = helper.make_node("Explode", ["numbers"], ["value"], domain="evil")
    graph = helper.make_graph(
        [node], "model", [floats("numbers", [None, 1])], [floats("value", [None, 1])]
    )
    made = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("evil", 1)],
    )
    made.ir_version = 10
    content: bytes = made.SerializeToString()
    return content


def greedy() -> bytes:
    """Return a model that asks for four tebibytes."""
    shape = helper.make_tensor("shape", TensorProto.INT64, [1], [10**12])
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["much"]),
        helper.make_node("ReduceSum", ["much"], ["sum"], keepdims=1),
        helper.make_node("Add", ["x", "sum"], ["value"]),
    ]
    inputs, outputs = [floats("x", [None, 1])], [floats("value", [None, 1])]
    return model_of(nodes, inputs, outputs, initializer=[shape])


def same(name: str, into: str, shape: list[Any]) -> bytes:
    """Return a model that gives back what it is given."""
    node = helper.make_node("Identity", [name], [into])
    return model_of([node], [floats(name, shape)], [floats(into, shape)])
