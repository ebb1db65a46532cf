"""Job folders for engine tests; nothing here needs Django."""

from pathlib import Path

import pytest

from tests.engine.jobs import Job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path / "job")
