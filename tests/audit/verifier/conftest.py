import pytest

from tests.audit.transparency.exports import Log, bodies

COUNT = 700


@pytest.fixture(scope="module")
def log():
    return Log(bodies(COUNT))


@pytest.fixture
def export(log, tmp_path):
    return log.exported(tmp_path / "export", earlier=[256, 500])


@pytest.fixture
def kept(log, tmp_path):
    """Options that hand over a checkpoint kept outside, of this many events."""

    def at(size):
        path = tmp_path / f"kept-{size}"
        path.write_text(log.checkpoint(size))
        return "--kept", path

    return at
