"""Every broken file is refused for its own reason, and leaves nothing readable."""

import pytest

from engine.spec import format_of
from tests.engine.corpus import CORPUS, Broken
from tests.engine.jobs import Job


def test_the_corpus_is_large_enough() -> None:
    assert len({broken.id for broken in CORPUS}) == len(CORPUS) >= 40


@pytest.mark.parametrize("broken", CORPUS, ids=lambda broken: broken.id)
def test_ingest_refuses(job: Job, broken: Broken) -> None:
    (job.inputs / "original").write_bytes(broken.make())
    kind, compression = format_of(broken.name)
    spec = {"original_name": broken.name, "format": kind, "compression": compression}

    result = job.refuse("ingest", spec | dict(broken.options))

    assert result["message"].startswith(f"{broken.name}: ")
    assert broken.message in result["message"]
    found = [(d["row"], d["column"], d["text"]) for d in result["details"]]
    for (row, column, text), expected in zip(found, broken.places, strict=False):
        assert (row, column) == expected[:2]
        assert text.startswith(expected[2])
    assert len(found) >= len(broken.places)
    assert {d["file"] for d in result["details"]} <= {broken.name}
