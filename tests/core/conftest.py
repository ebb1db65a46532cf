from pathlib import Path
from textwrap import dedent

import pytest

from apps.core import sandbox

PREAMBLE = """
import json, os, signal, sys, time
from pathlib import Path
folder = Path(sys.argv[2])
def progress(**entry):
    with (folder / "progress.jsonl").open("a") as lines:
        lines.write(json.dumps(entry) + "\\n")
def result(**entry):
    (folder / "result.json").write_text(json.dumps(entry))
"""


@pytest.fixture
def engine_that(settings, tmp_path, monkeypatch):
    """Put a few lines in the place of the engine; they run in a real process."""
    monkeypatch.setattr(sandbox, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(sandbox, "BEAT_SECONDS", 0.1)
    settings.BASE_DIR = tmp_path / "house"

    def write(lines: str) -> None:
        package = settings.BASE_DIR / "engine"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(PREAMBLE + dedent(lines))

    return write


@pytest.fixture
def job_folder() -> Path:
    with sandbox.job_folder("job") as folder:
        yield folder
