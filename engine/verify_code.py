"""The verb `verify_code`: say whether a project that was run again gave the same.

As `verify`, but of `run_code`. Where the project was run in this very folder there is
no record of it yet, so it is written first.
"""

import json
from typing import Any

from engine import verify
from engine.check_code import keep_record
from engine.folder import EngineError, Folder, Json
from engine.record import RECORD, inputs
from engine.spec import RunCodeSpec, VerifyCodeSpec


def run(spec: VerifyCodeSpec, folder: Folder) -> Json:
    """Compare `outputs/` with `expected/`; returns what `verify` returns.

    Raises:
        EngineError: the project was not run, or an expected file is missing.
    """
    result = folder.path / "result.json"
    if not (folder.path / RECORD).is_file() and result.is_file():
        asked = RunCodeSpec.from_json(spec.to_json())
        keep_record(asked, folder, inputs(folder), _metrics(result.read_text("utf-8")))
    return verify.run(spec, folder)


def _metrics(result: str) -> dict[str, float]:
    try:
        found: Any = json.loads(result)
        return {str(key): float(value) for key, value in found["metrics"].items()}
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise EngineError(
            "result.json has no figures; run the verb run_code on this folder first."
        ) from error
