"""A sealer, a share, and a database that was set back."""

import pytest

from apps.audit.models import Head
from apps.audit.transparency.note import Verifier
from tests.audit.anchors.places import (
    WitnessPlace,
)
from tests.audit.anchors.publishing import (
    cut_back_to,
    publisher_of,
    stop,
)
from tests.audit.sealing import ORIGIN, happen, sealer_in
from tests.audit.test_sealer_process import key_file

__all__ = ["key_file"]


@pytest.fixture
def sealer(committed, tmp_path):
    return sealer_in(tmp_path)


@pytest.fixture
def share(tmp_path):
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


@pytest.fixture
def rewound(sealer, settings, share, tmp_path):
    """A database as it was two events ago, and anchors that know better."""
    keys = {ORIGIN: [Verifier(sealer.signer.vkey)]}
    with WitnessPlace(keys) as witness:
        addresses = {"directory": f"dir://{share}", "witness": witness.address}
        happen(2)
        sealer.seal()
        before, head = sealer.files.published_file.read_text(), Head.objects.get()
        happen(2)
        sealer.seal()
        publisher_of(sealer, settings, *addresses.values()).publish()
        cut_back_to(2, sealer, before)
        head.save(force_insert=True)
        happen(1)
        yield sealer_in(tmp_path), addresses


@pytest.fixture
def started(sealer, settings, share):
    """A publisher at work in threads; they end before the tables are emptied."""
    publishers = []

    def start(*addresses):
        publisher = publisher_of(sealer, settings, *addresses)
        publishers.append(publisher)
        publisher.start()

    yield start
    for publisher in publishers:
        stop(publisher)
