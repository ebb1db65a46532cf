"""What an ONNX file says of itself, and what hostile files do not do."""

import io
import random
import time

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from apps.experiments import onnx_summary
from apps.experiments.onnx_summary import NotOnnx, summarise


def model() -> bytes:
    """A model with stored weights, one of which is also named as an input."""
    weights = onnx.numpy_helper.from_array(np.ones((4, 2), np.float32), "weights")
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "weights"], ["y"]),
            helper.make_node("Relu", ["y"], ["z"]),
            helper.make_node("Relu", ["z"], ["out"]),
        ],
        "small",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 4]),
            helper.make_tensor_value_info("weights", TensorProto.FLOAT, [4, 2]),
        ],
        [
            helper.make_tensor_value_info("out", TensorProto.DOUBLE, [None, 2]),
            helper.make_tensor_sequence_value_info("all", TensorProto.INT64, None),
        ],
        [weights],
    )
    made = helper.make_model(
        graph, producer_name="us", opset_imports=[helper.make_opsetid("", 17)]
    )
    return made.SerializeToString()


def test_a_model_is_summarised():
    found = summarise(io.BytesIO(model()))

    assert found.inputs == [("x", "float32 [rows, 4]")]
    assert found.outputs == [("out", "float64 [?, 2]"), ("all", "sequence")]
    assert (found.nodes, found.weights) == (3, 1)
    assert found.kinds == [("Relu", 2), ("MatMul", 1)]
    assert (found.opsets, found.producer) == ({"ai.onnx": 17}, "us")


def test_weights_are_jumped_over():
    large = onnx.numpy_helper.from_array(np.ones(5_000_000, np.float32), "w")
    graph = helper.make_graph([helper.make_node("Relu", ["w"], ["o"])], "g", [], [])
    graph.initializer.append(large)
    file = io.BytesIO(helper.make_model(graph).SerializeToString())
    read = []

    class Counting(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            read.append(size)
            return super().read(size)

    summarise(Counting(file.getvalue()))

    assert sum(read) < 2_000


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 40, b"\xff" * 40, b"PK\x03\x04 zip", b"\x3a\x05abc", b"{}"],
)
def test_what_is_no_model_says_so(content):
    with pytest.raises(NotOnnx, match="damaged or not an ONNX model"):
        summarise(io.BytesIO(content))


def test_damage_of_any_kind_is_told():
    dice = random.Random(7)
    whole = model()
    for _ in range(2_000):
        content = bytearray(whole)
        for _ in range(dice.randint(1, 8)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        try:
            summarise(io.BytesIO(bytes(content[: dice.randint(1, len(content))])))
        except NotOnnx:
            continue


def test_a_file_of_endless_parts_is_left(monkeypatch):
    monkeypatch.setattr(onnx_summary, "MOST_FIELDS", 5_000)
    began = time.monotonic()

    with pytest.raises(NotOnnx, match="more parts"):
        summarise(io.BytesIO(b"\x08\x01" * 1_000_000))

    assert time.monotonic() - began < 60
