"""An approval rests on bytes in the store, not only on what rows say of them."""

from pathlib import Path

import pytest

from apps.approvals import actions
from apps.approvals.models import ApprovalStatus, SignOff
from apps.approvals.serving import serving_decision
from apps.approvals.tasks import read_approved_files, review_approvals
from apps.core import blobs
from apps.core.errors import WrongState
from tests.factories import approvals
from tests.factories.people import PASSWORD


def path_of(sha256: str) -> Path:
    with blobs.open_blob(sha256) as stored:
        return Path(stored.name)


def alter(sha256: str) -> None:
    """Change one byte of what is stored, as somebody on the machine could."""
    path = path_of(sha256)
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(content))


def model_file(version) -> str:
    (found,) = (
        file["sha256"] for file in version.manifest if file["path"] == "model.skops"
    )
    return found


def test_a_byte_of_the_model_stops_serving_at_once(world):
    approval = approvals.approved(world)
    assert serving_decision(approval.version)

    alter(model_file(approval.version))

    assert "model files changed" in serving_decision(approval.version).reason


def test_a_model_file_that_is_gone_stops_serving(world):
    approval = approvals.approved(world)
    path_of(model_file(approval.version)).unlink()
    assert "model files changed" in serving_decision(approval.version).reason


def test_nobody_signs_for_a_model_that_was_changed(world):
    approval = approvals.request(world)
    alter(model_file(approval.version))

    with pytest.raises(WrongState, match="model files"):
        actions.sign_off(
            approval=approval, comment="", password=PASSWORD, by=world.validator
        )
    assert not SignOff.objects.exists()


@pytest.mark.parametrize(
    ("part", "name"), [("model", "model files"), ("data", "dataset version")]
)
def test_the_daily_reading_finds_one_changed_byte(world, part, name):
    approval = approvals.approved(world)
    review_approvals()
    read_approved_files()
    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.APPROVED
    version = approval.version
    data = version.run.dataset_version.parquet_sha256
    alter(data if part == "data" else model_file(version))

    read_approved_files()

    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.STALE
    (moved,) = approval.moved
    assert moved["name"] == name
    assert moved["before"] != moved["after"]
