"""The verb `verify`: say whether a run that was repeated gave the same.

The folder has what the run left in `outputs/`, and in `expected/` the record and the
predictions of the first time. Without outputs only the data is looked at.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from engine import closeness, tables
from engine.closeness import Gap, Tolerance, metric_rows, predictions_gap
from engine.differences import (
    Difference,
    changed_groups,
    differences,
    first_step,
    named,
)
from engine.fingerprint import fingerprint
from engine.folder import EngineError, Folder, Json
from engine.record import CODE, FORMAT, PARTS, RECORD, inputs
from engine.run_code import DATA, PROJECT
from engine.spec import RunCodeSpec, Spec, SpecError, decode
from engine.steps import PREDICTIONS, file_digest

# What must be equal byte for byte to be called identical.
DECISIVE = ("model.skops", PREDICTIONS)
# Of somebody's own project, where there is one of these; else every file of it.
DECISIVE_OF_CODE = ("model.skops", "model.onnx", PREDICTIONS)
IDENTICAL, WITHIN, DIFFERENT = "identical", "within_tolerance", "different"
_TIMED = (
    "the search was limited in minutes, so that how many settings it tries depends on "
    "how fast the machine is; limit it by trials alone"
)
_TOLD = {
    "data": "reading the data",
    "project": "the code of the project",
    "figures": "the figures it gave",
    "split": "dividing the rows",
    "preparation": "preparing the columns",
    "search": "searching for settings",
    "model": "learning the model",
    "predictions": "answering the test rows",
}


def run(spec: Spec, folder: Folder) -> Json:
    """Compare `outputs/` with `expected/`; see the module.

    Returns:
        `verdict`; `sentence` in words; `causes` and `other_differences`, each with
        `kind`, `sentence` and `names`; `steps`, `files` and `metrics` side by side;
        `predictions`, how far they are apart; and the `tolerance` that was declared.
    """
    folder.progress(0.1, "Comparing")
    expected = _record(folder.path / "expected" / "record.json")
    with tables.connect(folder.path, threads=spec.threads) as database:
        if not (folder.outputs / "record.json").is_file():
            result = _data_only(database, folder, expected)
        else:
            result = _compared(database, folder, expected)
    sys.stdout.write(f"{result['sentence']}\n")
    return result


def _compared(
    database: duckdb.DuckDBPyConnection, folder: Folder, expected: Json
) -> Json:
    found = _record(folder.outputs / "record.json")
    tolerance = _tolerance(folder)
    files = _files(folder, expected, found)
    is_code = expected["verb"] == RunCodeSpec.verb
    decisive = _decisive_of_code(files) if is_code else _named(files, DECISIVE)
    gap = _gap(database, folder, may_differ=is_code)
    metrics = metric_rows(expected["metrics"], found["metrics"])
    unlike = differences(expected, found, _groups(database, folder, expected, found))
    verdict = _verdict(decisive, gap, metrics, tolerance)
    step = first_step(expected, found)
    causes = _causes(unlike, step, expected) if verdict != IDENTICAL else []
    return {
        "verdict": verdict,
        "sentence": _sentence(verdict, causes, gap, step, _same(decisive, is_code)),
        "causes": [asdict(cause) for cause in causes],
        "other_differences": [asdict(one) for one in unlike if one not in causes],
        "first_step": step,
        "steps": _steps(expected, found),
        "files": files,
        "metrics": metrics,
        "predictions": asdict(gap) if gap else None,
        "tolerance": asdict(tolerance) if tolerance else None,
        "records": {
            "expected": file_digest(folder, "expected/record.json"),
            "found": file_digest(folder, RECORD),
        },
    }


def _data_only(
    database: duckdb.DuckDBPyConnection, folder: Folder, expected: Json
) -> Json:
    """Say what differs of inputs that nothing was run on."""
    found = {"inputs": inputs(folder)}
    if found["inputs"] == expected["inputs"]:
        raise EngineError(
            "There are no outputs to compare; run the verb "
            f"{expected['verb']} on this folder first."
        )
    if found["inputs"].get(DATA) == expected["inputs"].get(DATA):
        said = "Not repeated, because the code of the project is not what it was."
        cause = Difference("code", "the code of the project changed", [PROJECT])
    else:
        groups = _groups(database, folder, expected, found)
        where = f": {'; '.join(groups)}" if groups else ""
        said = f"Not repeated, because the data is not what it was{where}."
        cause = Difference("data", f"the data changed{where}", groups)
    return {"verdict": DIFFERENT, "sentence": said, "causes": [asdict(cause)]}


def _record(path: Path) -> Json:
    try:
        found: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        name = f"{path.parent.name}/{path.name}"
        raise EngineError(
            f"The file {name} is missing or not JSON; take it from the record."
        ) from error
    record: Json = found if isinstance(found, dict) else {}
    if not record.keys() >= PARTS or record["format"] != FORMAT:
        raise EngineError(f"{path.name} is not a record of the form {FORMAT}.")
    return record


def _tolerance(folder: Folder) -> Tolerance | None:
    path = folder.path / "expected" / "tolerance.json"
    if not path.is_file():
        return None
    try:
        found: Tolerance = decode(Tolerance, json.loads(path.read_text("utf-8")))
    except (SpecError, ValueError) as error:
        raise EngineError(
            f"expected/tolerance.json is wrong ({error}); state both differences."
        ) from error
    return found


def _files(folder: Folder, expected: Json, found: Json) -> list[Json]:
    """Compare files by digest; those that are here are read, not believed."""
    names = sorted(expected["outputs"].keys() | found["outputs"].keys())
    rows = []
    for name in names:
        here = (folder.outputs / name).is_file()
        digest = (
            file_digest(folder, f"outputs/{name}")
            if here
            else found["outputs"].get(name)
        )
        wanted = expected["outputs"].get(name)
        rows.append({"name": name, "expected": wanted, "found": digest})
    return rows


def _named(files: list[Json], names: tuple[str, ...]) -> list[Json]:
    return [file for file in files if file["name"] in names]


def _decisive_of_code(files: list[Json]) -> list[Json]:
    """Choose what must be equal: model and predictions, else every file it left."""
    own = [file for file in files if file["name"] != Path(CODE).name]
    return _named(own, DECISIVE_OF_CODE) or own


def _same(decisive: list[Json], is_code: bool) -> str:
    """Say what is equal when all that is decisive is."""
    if not is_code:
        return "model and predictions are equal byte for byte"
    if not decisive:
        return "it left no files, and every figure is the same"
    names = named([file["name"] for file in decisive])
    return f"{names} {'is' if len(decisive) == 1 else 'are'} equal byte for byte"


def _gap(
    database: duckdb.DuckDBPyConnection, folder: Folder, *, may_differ: bool
) -> Gap | None:
    """Measure how far the predictions are apart.

    Args:
        database: to read them with.
        folder: of the job.
        may_differ: whether the files may be of a form that cannot be compared.
    """
    old, new = folder.path / "expected" / PREDICTIONS, folder.outputs / PREDICTIONS
    if not (old.is_file() and new.is_file()):
        return None
    try:
        return predictions_gap(database, old, new)
    except EngineError:
        if may_differ:
            return None
        raise


def _groups(
    database: duckdb.DuckDBPyConnection, folder: Folder, expected: Json, found: Json
) -> list[str]:
    """Say which rows of the data differ, when the first time kept a fingerprint."""
    path = folder.inputs / "data.parquet"
    same = expected["inputs"] == found["inputs"]
    if same or not expected["fingerprint"] or not path.is_file():
        return []
    try:
        here = fingerprint(database, path, lambda _ratio: None, threads=1)
    except duckdb.Error:
        return ["the file cannot be read as Parquet any more"]
    return changed_groups(expected["fingerprint"], here)


def _verdict(
    decisive: list[Json],
    gap: Gap | None,
    metrics: list[Json],
    tolerance: Tolerance | None,
) -> str:
    same = all(file["expected"] == file["found"] for file in decisive)
    if same and (decisive or closeness.metrics_within(metrics, Tolerance(0, 0))):
        return IDENTICAL
    if tolerance is None or gap is None or not gap.is_within(tolerance):
        return DIFFERENT
    within = closeness.metrics_within(metrics, tolerance)
    return WITHIN if within else DIFFERENT


def _causes(
    unlike: list[Difference], step: str | None, expected: Json
) -> list[Difference]:
    """Take what can be the cause; when nothing that went in differs, it is chance."""
    causes = [one for one in unlike if one.can_cause]
    if causes:
        return causes
    search = expected["spec"].get("search") or {}
    if step == "search" and search.get("minutes"):
        return [Difference("nondeterminism", _TIMED, ["search"])]
    where = f" in {_TOLD.get(step, step)}" if step else ""
    sentence = (
        f"everything that went in is the same, so chance is at work{where}: the step "
        "does not give the same twice"
    )
    return [Difference("nondeterminism", sentence, [step] if step else [])]


def _sentence(
    verdict: str,
    causes: list[Difference],
    gap: Gap | None,
    step: str | None,
    same: str,
) -> str:
    if verdict == IDENTICAL:
        return f"Identical: {same}."
    apart = f" {_apart(gap)}" if gap else ""
    because = "; ".join(cause.sentence for cause in causes)
    if len(causes) > 1:
        because = f"of at least one of these: {because}"
    first = f" The first step that differs is {_TOLD.get(step, step)}." if step else ""
    if verdict == WITHIN:
        return f"Within tolerance.{apart} Not byte for byte, because {because}.{first}"
    return f"Different, because {because}.{first}{apart}"


def _apart(gap: Gap) -> str:
    if gap.unmatched or gap.largest != gap.largest:
        return "The predictions are of other rows."
    classes = f", and {gap.changed:,} rows got another class" if gap.changed else ""
    return (
        f"Predictions differ by at most {gap.largest:.3g} over {gap.rows:,} "
        f"rows{classes}."
    )


def _steps(expected: Json, found: Json) -> list[Json]:
    after = {step["step"]: step["digest"] for step in found["steps"]}
    return [
        {
            "step": step["step"],
            "expected": step["digest"],
            "found": after.get(step["step"]),
        }
        for step in expected["steps"]
    ]
