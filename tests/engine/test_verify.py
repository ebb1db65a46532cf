"""A repeated training is called identical, within tolerance or different, and why."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import skops

from engine.differences import differences
from tests.engine.jobs import Job, Json
from tests.engine.repeating import expect, prepare, train_apart, verify
from tests.engine.tables import put_table, strikes, train_spec

ENGINE = Path(__file__).parents[2] / "engine"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "data.parquet"
    put_table(path, strikes())
    return path


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Job:
    job = prepare(tmp_path_factory.mktemp("first") / "job", data, train_spec())
    train_apart(job)
    return job


def copied(job: Job, tmp_path: Path) -> Job:
    found = Job(tmp_path / "copy")
    shutil.copytree(job.path, found.path, dirs_exist_ok=True)
    return found


def again(tmp_path: Path, data: Path, **changes: object) -> Job:
    return prepare(
        tmp_path / "again",
        data,
        train_spec(**changes),
    )


def test_a_changed_row_is_named_by_its_group(tmp_path: Path, first: Job) -> None:
    frame = strikes()
    frame.loc[17, "speed"] = 299.0
    frame.loc[17, "damaged"] = "no" if frame.loc[17, "damaged"] == "yes" else "yes"
    put_table(tmp_path / "data.parquet", frame)
    job = again(tmp_path, tmp_path / "data.parquet")
    train_apart(job)

    result = verify(expect(first, job))

    assert result["verdict"] == "different"
    assert [cause["kind"] for cause in result["causes"]] == ["data"]
    assert result["causes"][0]["names"] == ["rows 1 to 300"]
    assert result["first_step"] == "data"
    assert "because the data changed: rows 1 to 300" in result["sentence"]


def test_a_change_that_the_model_does_not_see_is_no_cause(
    tmp_path: Path, first: Job
) -> None:
    frame = strikes()
    frame.loc[17, "state"] = "S99"
    put_table(tmp_path / "data.parquet", frame)
    job = again(tmp_path, tmp_path / "data.parquet")
    train_apart(job)

    result = verify(expect(first, job))

    assert result["verdict"] == "identical"
    assert [one["kind"] for one in result["other_differences"]] == ["data"]


def test_a_changed_seed_is_the_cause(tmp_path: Path, first: Job, data: Path) -> None:
    job = again(tmp_path, data, seed=5)
    train_apart(job)

    result = verify(expect(first, job))

    assert result["verdict"] == "different"
    assert [cause["kind"] for cause in result["causes"]] == ["seed"]
    assert "the seed changed from 0 to 5" in result["sentence"]
    assert result["first_step"] == "split"


def test_changed_settings_are_the_cause(tmp_path: Path, first: Job, data: Path) -> None:
    job = again(tmp_path, data, parameters={"C": 0.01})
    train_apart(job)

    result = verify(expect(first, job))

    assert [cause["kind"] for cause in result["causes"]] == ["spec"]
    assert result["causes"][0]["names"] == ["parameters"]


@pytest.fixture(scope="module")
def other_skops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package that writes models, as another release that goes first."""
    ahead = tmp_path_factory.mktemp("ahead")
    installed = Path(skops.__file__).parent
    shutil.copytree(installed, ahead / "skops")
    facts = next(installed.parent.glob("skops-*.dist-info"))
    shutil.copytree(facts, ahead / "skops-0.1.dist-info")
    metadata = ahead / "skops-0.1.dist-info" / "METADATA"
    metadata.write_text(
        metadata.read_text().replace(f"Version: {skops.__version__}", "Version: 0.1")
    )
    version = ahead / "skops" / "_version.py"
    version.write_text('__version__ = "0.1"\n')
    return ahead


def test_another_release_of_a_package_is_the_cause(
    tmp_path: Path, first: Job, data: Path, other_skops: Path
) -> None:
    job = again(tmp_path, data)
    train_apart(job, ahead=other_skops)

    result = verify(expect(first, job))

    assert result["verdict"] == "different"
    assert [cause["kind"] for cause in result["causes"]] == ["package"]
    assert result["causes"][0]["names"] == [f"skops {skops.__version__} → 0.1"]
    assert result["first_step"] == "preparation"

    within = verify(expect(first, job, {"predictions": 0, "metrics": 0}))
    assert within["verdict"] == "within_tolerance"
    assert within["predictions"]["largest"] == 0
    assert "skops" in within["sentence"]


def test_changed_code_is_the_cause_and_its_file_is_named(
    tmp_path: Path, first: Job, data: Path
) -> None:
    ahead = tmp_path / "ahead"
    shutil.copytree(ENGINE, ahead / "engine")
    split = ahead / "engine" / "split.py"
    assert "spec.seed)" in split.read_text()
    split.write_text(split.read_text().replace("spec.seed)", "spec.seed + 1)"))
    job = again(tmp_path, data)
    train_apart(job, ahead=ahead)

    result = verify(expect(first, job))

    assert [cause["kind"] for cause in result["causes"]] == ["code"]
    assert result["causes"][0]["names"] == ["split.py"]
    assert result["first_step"] == "split"


def test_a_gap_beyond_what_was_declared_is_different(
    tmp_path: Path, first: Job, data: Path
) -> None:
    job = again(tmp_path, data, parameters={"C": 1.001})
    train_apart(job)

    tight = verify(expect(first, job, {"predictions": 1e-9, "metrics": 1e-9}))
    loose = verify(expect(first, job, {"predictions": 0.5, "metrics": 0.5}))

    assert tight["verdict"] == "different"
    assert 0 < tight["predictions"]["largest"] < 0.01
    assert tight["metrics"][0]["difference"] > 0
    assert loose["verdict"] == "within_tolerance"
    assert loose["tolerance"] == {"predictions": 0.5, "metrics": 0.5}


def record_of(job: Job) -> Json:
    record: Json = json.loads((job.outputs / "record.json").read_text())
    return record


@pytest.mark.parametrize(
    ("part", "change", "kind", "words"),
    [
        ("cpu", {"model": "Abacus", "flags": [], "count": 1}, "hardware", "Abacus"),
        ("machine", "pdp11", "hardware", "architecture"),
        ("thread_settings", {"OMP_NUM_THREADS": "64"}, "hardware", "OMP_NUM_THREADS"),
        ("libraries", [{"file": "libother.so"}], "hardware", "libother.so"),
        ("python", "3.99.0", "system", "3.99.0"),
        ("libc", "other 1.0", "system", "C library"),
        ("lock", [], "package", "removed"),
    ],
)
def test_surroundings_are_told_apart(
    first: Job, part: str, change: object, kind: str, words: str
) -> None:
    found = record_of(first)
    found["environment"][part] = change

    unlike = differences(record_of(first), found, [])

    assert [one.kind for one in unlike] == [kind]
    assert unlike[0].can_cause
    assert words in unlike[0].sentence


def test_another_kernel_alone_is_no_cause(first: Job) -> None:
    found = record_of(first)
    found["environment"]["platform"] = "Linux-99"

    (unlike,) = differences(record_of(first), found, [])

    assert not unlike.can_cause


def test_chance_is_located_to_the_first_step_that_differs(
    tmp_path: Path, first: Job
) -> None:
    repeated = copied(first, tmp_path)
    expect(first, repeated)
    record = record_of(repeated)
    record["steps"][4]["digest"] = record["steps"][5]["digest"] = "0" * 64
    (repeated.outputs / "record.json").write_text(json.dumps(record))
    with (repeated.outputs / "model.skops").open("ab") as model:
        model.write(b"\0")

    result = verify(repeated)

    assert result["verdict"] == "different"
    assert [cause["kind"] for cause in result["causes"]] == ["nondeterminism"]
    assert result["causes"][0]["names"] == ["model"]
    assert "learning the model" in result["sentence"]


def test_a_model_file_is_read_and_not_believed(tmp_path: Path, first: Job) -> None:
    repeated = copied(first, tmp_path)
    (repeated.outputs / "model.skops").write_bytes(b"something else")

    result = verify(expect(first, repeated))

    assert result["verdict"] == "different"


def test_damaged_data_without_outputs_is_located(tmp_path: Path, first: Job) -> None:
    frame = pd.concat([strikes()] * 240, ignore_index=True)  # 72,000 rows: two groups
    put_table(tmp_path / "data.parquet", frame)
    prepared = again(tmp_path, tmp_path / "data.parquet")
    frame.loc[70_000, "speed"] = 1.0
    put_table(prepared.inputs / "data.parquet", frame)
    record = record_of(first)
    record["fingerprint"] = json.loads(
        (prepared.inputs / "fingerprint.json").read_text()
    )
    expected = prepared.path / "expected"
    expected.mkdir()
    (expected / "record.json").write_text(json.dumps(record))

    result = verify(prepared)

    assert result["verdict"] == "different"
    assert "rows 65,537 to 72,000" in result["sentence"]

    (prepared.inputs / "data.parquet").write_bytes(b"no table")
    assert "cannot be read" in verify(prepared)["sentence"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("record.json", "{", "missing or not JSON"),
        ("record.json", "[]", "not a record"),
        ("record.json", '{"format": "other"}', "not a record"),
        ("tolerance.json", '{"predictions": -1, "metrics": 0}', "negative"),
        ("tolerance.json", "nonsense", "wrong"),
        ("predictions.parquet", "nonsense", "damaged"),
    ],
)
def test_broken_expectations_are_refused(
    tmp_path: Path, first: Job, name: str, content: str, words: str
) -> None:
    repeated = copied(first, tmp_path)
    expect(first, repeated)
    (repeated.path / "expected" / name).write_text(content)

    spec = json.loads((repeated.path / "spec.json").read_text())
    assert words in repeated.refuse("verify", spec)["message"]


def test_verify_without_outputs_asks_for_the_training(
    tmp_path: Path, first: Job, data: Path
) -> None:
    job = again(tmp_path, data)
    expect(first, job)

    spec = json.loads((job.path / "spec.json").read_text())
    assert "run the verb train" in job.refuse("verify", spec)["message"]
