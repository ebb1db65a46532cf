import time
from pathlib import Path
from textwrap import dedent

import pytest

from apps.core import sandbox
from apps.core.sandbox import running

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
    monkeypatch.setattr(running, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(running, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(running, "LOOK_SECONDS", 0.05)
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


def shows_up(text: object) -> bool:
    """Say whether a process of this machine has the text among its words."""
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(text).encode() in words.read_bytes():
                return True
        except OSError:
            continue
    return False


def ended(text: object, seconds: float = 2) -> bool:
    """Say whether every process with the text among its words is gone, or soon is."""
    deadline = time.monotonic() + seconds
    while shows_up(text):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
