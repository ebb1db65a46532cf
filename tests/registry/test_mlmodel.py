"""What a model takes and answers, read from hostile files."""

import json
from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apps.experiments.models import Artifact
from apps.registry.manifests import manifest_of
from apps.registry.mlmodel import Unfit, signature_of, translated
from engine.package import Signature
from engine.spec import decode
from tests.factories import experiments as factory

INPUTS = [
    {"type": "double", "name": "age", "required": True},
    {"type": "string", "name": "kind", "required": True},
]
ANSWER = [{"type": "long", "name": "left", "required": True}]
METADATA = {"classes": ["no", "yes"], "positive_label": "yes"}


def described(inputs=INPUTS, outputs=ANSWER, **metadata) -> str:
    told = {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs)}
    return yaml.safe_dump({"signature": told, "metadata": metadata})


def test_a_binary_model_is_told_in_the_form_of_the_engine():
    found = translated(described(**METADATA))

    signature = decode(Signature, found)
    assert (signature.task, signature.target) == ("binary", "left")
    assert signature.classes == ("no", "yes")
    assert (signature.numbers, signature.categories) == (("age",), ("kind",))
    assert signature.threshold == 0.5


def test_a_number_is_answered_without_classes():
    answer = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]

    found = translated(described(outputs=answer, target="price"))

    signature = decode(Signature, found)
    assert (signature.task, signature.target) == ("regression", "price")


def test_several_classes_need_no_case():
    found = translated(described(classes=["a", "b", "c"]))

    assert decode(Signature, found).task == "multiclass"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: &a [*a]", "cannot be read"),
        ("{", "cannot be read"),
        ("[1]", "has no signature"),
        ("!!python/object:os.system x", "cannot be read"),
        (described(inputs=[{"type": "tensor"}], **METADATA), "have no names"),
        (
            described(inputs=[{"type": "binary", "name": "x"}], **METADATA),
            "no plain column",
        ),
        (described(outputs=ANSWER * 2), "several columns"),
        (described(outputs=[{"type": "long"}]), "does not name"),
        (described(), "which classes"),
        (described(classes=["no", "yes"]), "counts as a case"),
        (described(classes=["no", "no"], positive_label="no"), "twice"),
        (described(classes=[1.5, 2], positive_label="2"), "neither texts"),
        (described(**METADATA, threshold=3), "threshold"),
        ("signature: {inputs: '[[[', outputs: '[]'}", "cannot be read"),
        ("signature: {inputs: '[]', outputs: '[]'}", "lists no inputs"),
    ],
)
def test_what_says_too_little_is_told_why(text, sentence):
    with pytest.raises(Unfit, match=sentence):
        translated(text)


@given(st.text() | st.dictionaries(st.text(), st.text()).map(yaml.safe_dump))
def test_whatever_comes_is_read_or_refused(text):
    with suppress(Unfit):
        assert translated(text)["inputs"]


def version_files(*files: tuple[str, bytes]):
    stored = [factory.artifact(path, content) for path, content in files]
    return manifest_of(
        [
            Artifact(
                path=one.path,
                sha256=one.blob.sha256,
                size_bytes=one.blob.size_bytes,
                media_type=one.media_type,
            )
            for one in stored
        ],
        "model",
    )


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([("model/MLmodel", b"x")], "no model.skops"),
        ([("model/model.onnx", b"x")], "No file of it says"),
        ([("model/model.onnx", b"x"), ("model/MLmodel", b"\xff")], "is no text"),
        ([("model/model.onnx", b"x"), ("model/MLmodel", b" " * 1_000_001)], "large"),
        # Only the engine says what a model without an MLmodel takes and answers.
        ([("model/model.onnx", b"x"), ("model/signature.json", b"{}")], "No file of"),
    ],
)
def test_a_version_says_why_it_cannot_be_evaluated(db, files, sentence):
    signature, reason = signature_of(version_files(*files))

    assert signature == {}
    assert sentence in reason
