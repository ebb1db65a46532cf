"""One key follows another under the trail, and auditors can follow too."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction

from apps.audit.models import Checkpoint, Key
from apps.audit.transparency.note import Verifier, open_note
from tests.audit.sealing import bundle, happen, sealer_in
from tests.audit.test_evidence import VERIFIED, verified
from tests.factories import people
from tests.trail import nothing_recorded, one_event

REASON = "The yearly change."


@pytest.fixture
def sealer(committed, tmp_path, settings):
    """A sealer that has signed one event."""
    sealer = sealer_in(tmp_path)
    settings.AUDIT_SIGNING_KEY_FILE = sealer.files.key_file
    happen(1)
    sealer.seal()
    return sealer


@pytest.fixture
def administrator(sealer):
    return people.administrator()


def rotate(by, *, overlap="0", reason=REASON) -> str:
    output = StringIO()
    arguments = ["--by", by.email, "--reason", reason, "--overlap", overlap]
    call_command("rotate_signing_key", *arguments, stdout=output)
    return output.getvalue()


def signed_by() -> list[str]:
    """Name the keys under the newest checkpoint."""
    note = Checkpoint.objects.latest("size").note
    keys = Key.objects.order_by("created_at").values_list("vkey", flat=True)
    return [vkey for vkey in keys if open_note_or_none(note, vkey)]


def open_note_or_none(note, vkey):
    try:
        return open_note(note, [Verifier(vkey)])
    except ValueError:
        return None


def seal_another(sealer) -> list[str]:
    happen(1)
    sealer.seal()
    return signed_by()


def test_rotate_signing_key_is_announced_by_the_old_key(sealer, administrator):
    old = sealer.signer.vkey

    with one_event("audit.key_rotated") as events:
        output = rotate(administrator)
    sealer.seal()

    new = sealer.files.next_signer().vkey
    assert new in output
    assert events[0].changes["vkey"] == [old, new]
    assert events[0].reason == REASON
    assert signed_by() == [old]


def test_rotate_signing_key_ends_with_the_new_key_alone(
    sealer, administrator, tmp_path
):
    old = sealer.signer.vkey
    rotate(administrator)
    sealer.seal()
    announced = Checkpoint.objects.latest("size").size
    new = sealer.files.next_signer().vkey

    assert seal_another(sealer) == [old, new]
    assert seal_another(sealer) == [new]
    assert seal_another(sealer) == [new]

    assert sealer.signer.vkey == new
    assert sealer.files.next_signer() is None
    spans = Key.objects.order_by("created_at").values_list("from_size", "to_size")
    assert list(spans) == [(spans[0][0], announced + 1), (announced + 1, None)]


def test_both_keys_sign_until_the_overlap_is_over(sealer, administrator):
    old = sealer.signer.vkey
    rotate(administrator, overlap="30")
    sealer.seal()

    for _ in range(3):
        assert len(seal_another(sealer)) == 2

    assert sealer.signer.vkey == old


def test_an_export_after_a_rotation_is_verified_with_both_keys(
    sealer, administrator, tmp_path
):
    old = sealer.signer.vkey
    rotate(administrator)
    for _ in range(3):
        seal_another(sealer)

    code, answer = verified(sealer, bundle(), tmp_path, "--log-key", old)

    assert (code, answer["findings"]) == (VERIFIED, [])


def test_a_key_that_was_not_announced_does_not_sign(sealer):
    sealer.files.make_next_key()

    assert seal_another(sealer) == [sealer.signer.vkey]


def test_the_next_key_waits_until_its_signature_went_out(sealer, administrator):
    rotate(administrator)
    sealer.seal()
    before = sealer.files.published_file.read_text()
    seal_another(sealer)
    sealer.files.publish(before)

    assert len(seal_another(sealer)) == 2


def test_rotate_signing_key_waits_for_the_last_rotation(sealer, administrator):
    rotate(administrator)

    with nothing_recorded(), pytest.raises(CommandError, match="not sign alone yet"):
        rotate(administrator)
    for _ in range(2):
        seal_another(sealer)
    with nothing_recorded(), pytest.raises(CommandError, match="not sign alone yet"):
        rotate(administrator)
    seal_another(sealer)

    with one_event("audit.key_rotated"):
        rotate(administrator)


def test_rotate_signing_key_refuses_others(sealer, auditor):
    with nothing_recorded(), pytest.raises(CommandError, match="Only an administr"):
        rotate(auditor)


def test_rotate_signing_key_needs_a_reason(sealer, administrator):
    with nothing_recorded(), pytest.raises(CommandError, match="why the key is"):
        rotate(administrator, reason=" ")


def test_rotate_signing_key_needs_a_signed_trail(committed, tmp_path, settings):
    settings.AUDIT_SIGNING_KEY_FILE = sealer_in(tmp_path).files.key_file
    administrator = people.administrator()

    with nothing_recorded(), pytest.raises(CommandError, match="Nothing is signed"):
        rotate(administrator)


def test_rotate_signing_key_needs_the_present_key(committed, tmp_path, settings):
    settings.AUDIT_SIGNING_KEY_FILE = tmp_path / "none"
    administrator = people.administrator()

    with nothing_recorded(), pytest.raises(CommandError, match="cannot be read"):
        rotate(administrator)


@pytest.mark.parametrize("column", ["to_size", "from_size", "vkey", "created_at"])
def test_the_database_lets_a_key_end_only_once(sealer, column):
    Key.objects.update(to_size=5)

    with (
        pytest.raises(Error, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE audit_key SET {column} = {column}")  # noqa: S608
