"""Make a job folder, run the engine in it, read what it says."""

import json
from pathlib import Path
from typing import Any

from engine.__main__ import main

Json = dict[str, Any]


class Job:
    """One folder and what came out of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inputs = path / "inputs"
        self.outputs = path / "outputs"
        self.inputs.mkdir(parents=True, exist_ok=True)

    def run(self, verb: str, spec: Json) -> Json:
        """Run `verb` and return `result.json`, which must match the exit code."""
        (self.path / "spec.json").write_text(json.dumps(spec))
        exit_code = main([verb, str(self.path)])
        result: Json = json.loads((self.path / "result.json").read_text())
        assert (result["status"] == "succeeded") == (exit_code == 0), result
        return result

    def succeed(self, verb: str, spec: Json) -> Json:
        """Run `verb`, which must succeed."""
        result = self.run(verb, spec)
        assert result["status"] == "succeeded", result
        return result

    def refuse(self, verb: str, spec: Json) -> Json:
        """Run `verb`, which must fail with a message for the person who asked."""
        result = self.run(verb, spec)
        assert result["status"] == "failed", result
        assert result["code"] == "bad_input", result
        assert result["message"].endswith(".")
        return result

    def progress(self) -> list[Json]:
        """Return the lines of `progress.jsonl`."""
        lines = (self.path / "progress.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]
