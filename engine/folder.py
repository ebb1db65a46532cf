"""The job folder: where a spec comes from and where results go."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

Json = dict[str, Any]
Code = Literal["bad_input", "out_of_memory", "timeout", "internal"]
MOST_DETAILS = 100


class EngineError(Exception):
    """The job cannot be done, for a reason the person who asked can read.

    Attributes:
        code: what kind of failure, for machines.
        message: one sentence: what happened and what to do.
        details: places in the input, at most `MOST_DETAILS`.
    """

    def __init__(
        self, message: str, *, code: Code = "bad_input", details: Sequence[Json] = ()
    ):
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = list(details[:MOST_DETAILS])


class Folder:
    """One job's folder; `inputs` is only read, `outputs` only written."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.inputs = self.path / "inputs"
        self.outputs = self.path / "outputs"
        self._ratio = 0.0

    def read_spec(self) -> Any:
        """Return the parsed `spec.json`.

        Raises:
            EngineError: it is not JSON.
        """
        try:
            return json.loads((self.path / "spec.json").read_text("utf-8"))
        except ValueError as error:
            raise EngineError(
                f"spec.json is not JSON ({error}); write it again."
            ) from error

    def require_input(self, name: str) -> Path:
        """Return the path of an input file.

        Raises:
            EngineError: the file is not there.
        """
        path = self.inputs / name
        if not path.is_file():
            raise EngineError(
                f"The file inputs/{name} is missing; put it into the folder."
            )
        return path

    def progress(self, ratio: float, stage: str) -> None:
        """Say how far the job is; `ratio` is 0 to 1 and never goes back."""
        self._ratio = max(self._ratio, min(ratio, 1.0))
        self._append({"ratio": round(self._ratio, 4), "stage": stage})

    def log(self, line: str) -> None:
        """Add one line, in plain words, to what people read while they wait."""
        self._append({"log": line})

    def metric(self, key: str, step: int, value: float) -> None:
        """Add a point to the charts of the run page; what is not finite is left out."""
        if math.isfinite(value):
            self._append({"metric": key, "step": step, "value": value})

    def write_json(self, name: str, value: Any) -> None:
        """Write `name` in the folder atomically, with sorted keys; NaN becomes null."""
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        draft = path.with_name(path.name + ".tmp")
        text = json.dumps(finite(value), allow_nan=False, indent=1, sort_keys=True)
        with draft.open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def _append(self, line: Json) -> None:
        with (self.path / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def finite(value: Any) -> Any:
    """Return plain JSON values: NaN and infinities, which JSON lacks, as `None`."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value
