"""Columns become numbers and text, and a table prepared by codes equals the frame."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse

from engine import features, pictures, preparation, reading, tables, words
from engine.spec import Images, TrainSpec
from tests.engine.jobs import Job
from tests.engine.kinds import illustrated, picture, spec_for
from tests.engine.tables import put_table, strikes


def read(path: Path, frame: pd.DataFrame, **changes: Any) -> features.Table:
    asked = {
        "features": [
            {"name": "speed", "kind": "number"},
            {"name": "size", "kind": "category"},
            {"name": "state", "kind": "category"},
        ]
    }
    spec = TrainSpec.from_json(spec_for("ridge", "regression") | asked | changes)
    path.mkdir(exist_ok=True)
    put_table(path / "data.parquet", frame)
    what = features.Reading(
        features=spec.features,
        target=spec.target,
        task=spec.task,
        text_buckets=spec.preprocessing.text_buckets,
        images=spec.images,
        most_rows=spec.max_rows,
        seed=spec.seed,
    )
    with tables.connect(path) as database:
        return reading.read(database, path / "data.parquet", what)


@pytest.mark.parametrize("missing", ["auto", "mean", "most_frequent", "constant"])
@pytest.mark.parametrize("categories", ["one_hot", "ordinal"])
@pytest.mark.parametrize("slug", ["ridge", "hist_gradient_boosting"])
def test_prepared_by_codes_equals_prepared_by_rows(
    tmp_path: Path, slug: str, categories: str, missing: str
) -> None:
    table = read(tmp_path, strikes())
    asked = {"missing": missing, "categories": categories}
    changes = {"preprocessing": asked}
    spec = TrainSpec.from_json(spec_for(slug, "regression", **changes))
    learned, other = table.take(np.arange(150)), table.take(np.arange(150, 300))

    prepare = preparation.fit(spec, learned)

    expected, found = (
        prepare.transform(other.frame()),
        preparation.apply(prepare, other),
    )
    is_sparse = (slug, categories) == ("ridge", "one_hot")
    assert issparse(expected) == issparse(found) == is_sparse
    if is_sparse:
        expected, found = expected.toarray(), found.toarray()
    np.testing.assert_array_equal(found, expected)


def test_read_gives_what_is_in_the_file(tmp_path: Path) -> None:
    frame = strikes(60)
    frame.loc[3, "repair"] = None

    table = read(tmp_path, frame)

    kept = frame.drop(index=3).reset_index(drop=True)
    found = table.frame()
    assert table.dropped == 1
    np.testing.assert_array_equal(table.rows, [*range(3), *range(4, 60)])
    np.testing.assert_array_equal(table.target, kept["repair"])
    np.testing.assert_array_equal(
        found["speed"], kept["speed"].astype(np.float32).astype(float)
    )
    assert list(found["size"]) == list(kept["size"].fillna(""))
    assert list(found["state"]) == list(kept["state"])


def test_read_draws_a_sample_by_the_seed(tmp_path: Path) -> None:
    frame = strikes(300).assign(place=1, drawn=2)

    one, same, other = (
        read(tmp_path, frame, max_rows=100, seed=seed) for seed in (1, 1, 2)
    )

    assert (len(one), one.left_out, one.dropped) == (100, 200, 0)
    np.testing.assert_array_equal(one.rows, same.rows)
    np.testing.assert_array_equal(one.target, frame["repair"].to_numpy()[one.rows])
    assert set(one.rows) != set(other.rows)


def test_words_fall_into_buckets() -> None:
    found = words.numbers(["bird strike", "BIRD, strike!", "", "Möwe"], 16)

    np.testing.assert_array_equal(found[0], found[1])
    assert found.shape == (4, len(words.columns(16)))
    assert not found[2].any()
    assert found[3].any()


def test_texts_are_found_by_the_model(job: Job) -> None:
    put_table(job.inputs / "data.parquet", illustrated())
    asked = {"features": [{"name": "remark", "kind": "text"}]}

    result = job.succeed("train", spec_for("logistic_regression", "binary") | asked)

    assert result["metrics"]["test.roc_auc"] > 0.9
    assert result["signature"]["inputs"][0]["kind"] == "text"
    assert len(result["signature"]["numbers"]) == 128
    assert [f["feature"] for f in result["figures"]["importance"]] == ["remark"]


@pytest.mark.parametrize("method", ["pixels", "summary"])
def test_pictures_are_found_by_the_model(job: Job, method: str) -> None:
    put_table(job.inputs / "data.parquet", illustrated())
    asked = {
        "features": [{"name": "picture", "kind": "image"}],
        "images": {"method": method, "size": 8},
    }

    result = job.succeed("train", spec_for("random_forest", "binary") | asked)

    assert result["metrics"]["test.roc_auc"] > 0.9
    assert result["signature"]["inputs"][0]["type"] == "image"
    assert result["signature"]["images"] == {"method": method, "size": 8}


@pytest.mark.parametrize("method", ["pixels", "summary"])
def test_a_picture_has_as_many_numbers_as_names(method: Any) -> None:
    images = Images(method=method, size=8)
    content = picture(np.random.default_rng(0), True)

    numbers = pictures.numbers(content, images)

    assert numbers.shape == (len(pictures.columns(images)),)
    assert (numbers >= 0).all()
    assert (numbers <= 1).all()


def test_a_broken_picture_is_named_by_its_row(job: Job) -> None:
    frame = illustrated(100)
    frame.loc[41, "picture"] = b"\x89PNG\r\n\x1a\nbroken"
    put_table(job.inputs / "data.parquet", frame)
    asked = {"features": [{"name": "picture", "kind": "image"}]}

    result = job.refuse("train", spec_for("ridge", "regression") | asked)

    assert 'Row 42 of "picture" is not a picture' in result["message"]


def test_a_far_too_large_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_PIXELS", 20)
    content = picture(np.random.default_rng(0), True)

    with pytest.raises(ValueError, match="too many pixels"):
        pictures.numbers(content, Images())
