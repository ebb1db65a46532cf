"""The loss of signed events is declared once, kept for ever, and told to auditors."""

from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.audit.inspection import inspect
from apps.audit.models import AuditEvent, Checkpoint, Head, Key
from apps.audit.signing import CannotSeal, next_origin
from tests.audit.sealing import (
    ORIGIN,
    bundle,
    happen,
    sealed,
    sealer_in,
    tampering,
    undo_tampering,
)
from tests.audit.test_evidence import TAMPERED, VERIFIED, verified
from tests.factories import people
from tests.trail import nothing_recorded, one_event

REASON = "The disk failed; the newest backup is of last night."
SUCCESSOR = "test.example/audit/2"


@pytest.fixture
def sealer(committed, tmp_path, settings):
    sealer = sealer_in(tmp_path)
    settings.AUDIT_SIGNING_KEY_FILE = sealer.files.key_file
    return sealer


@pytest.fixture
def administrator(committed):
    return people.administrator()


@contextmanager
def restored_afterwards():
    """Put the tables back as they are now: what happens in between is lost."""
    with tampering():
        pass
    heads = list(Head.objects.all())
    yield
    undo_tampering()
    Head.objects.all().delete()
    Head.objects.bulk_create(heads)


def recover(by, *, reason=REASON) -> str:
    output = StringIO()
    arguments = ["--accept-loss", "--by", by.email, "--reason", reason]
    call_command("recover_audit_trail", *arguments, stdout=output)
    return output.getvalue()


def lose(sealer, *, kept: int, lost: int) -> str:
    """Seal and lose events; give the checkpoint that went out before."""
    if kept:
        happen(kept)
        sealer.seal()
    with restored_afterwards():
        happen(lost)
        sealer.seal()
    return sealer.files.published_file.read_text()


@pytest.mark.parametrize(("kept", "lost"), [(4, 3), (0, 2), (255, 1)])
def test_recover_audit_trail_goes_on_as_another_log(sealer, administrator, kept, lost):
    old, note = sealer.signer.vkey, lose(sealer, kept=kept, lost=lost)
    size = max(Checkpoint.objects.values_list("size", flat=True), default=0)
    with pytest.raises(CannotSeal, match="was published"):
        sealer.seal()

    with one_event("audit.history_gap") as events:
        output = recover(administrator)
    sealer.seal()

    assert sealer.signer.vkey in output
    assert sealer.signer.name == SUCCESSOR
    assert events[0].pk == sealed()[-1]
    facts = events[0].changes
    assert facts["origin"] == [ORIGIN, SUCCESSOR]
    assert facts["size"] == [int(note.split("\n")[1]), size]
    assert facts["lost_checkpoint"] == note
    assert facts["vkey"] == sealer.signer.vkey
    newest = Checkpoint.objects.latest("size")
    assert newest.note.startswith(f"{SUCCESSOR}\n{AuditEvent.objects.count()}\n")
    assert [one for piece in inspect() for one in piece] == []
    if kept:
        assert Key.objects.get(vkey=old).to_size == size


def test_recover_audit_trail_keeps_what_proves_the_loss(sealer, administrator):
    note = lose(sealer, kept=4, lost=3)

    recover(administrator)

    aside = sealer.files.key_file.with_name(
        "signing.key.checkpoint.test.example-audit-1"
    )
    assert aside.read_text() == note


def test_an_auditor_is_told_of_the_loss(sealer, administrator, tmp_path):
    happen(2)
    sealer.seal()
    early, old = sealer.files.published_file.read_text(), sealer.signer.vkey
    late = lose(sealer, kept=2, lost=3)
    size = Checkpoint.objects.latest("size").size
    recover(administrator)
    sealer.seal()
    taken = bundle()
    (tmp_path / "early").write_text(early)
    (tmp_path / "late").write_text(late)

    fresh = verified(sealer, taken, tmp_path)
    keys = ("--log-key", old, "--kept")
    with_early = verified(sealer, taken, tmp_path, *keys, tmp_path / "early")
    with_late = verified(sealer, taken, tmp_path, *keys, tmp_path / "late")

    assert fresh[0] == with_early[0] == VERIFIED
    assert f"Events {size} to {size + 2} of {ORIGIN} were declared lost" in str(
        fresh[1]["lines"]
    )
    assert with_late[0] == TAMPERED
    [finding] = with_late[1]["findings"]
    assert finding["rule"] == "history.gap"
    assert REASON in finding["found"]


def test_recover_audit_trail_refuses_when_nothing_is_lost(sealer, administrator):
    happen(2)
    sealer.seal()

    with nothing_recorded(), pytest.raises(CommandError, match="Nothing is lost"):
        recover(administrator)

    happen(1)
    assert sealer.seal() == 1
    assert sealer.signer.name == ORIGIN


def test_recover_audit_trail_refuses_before_anything_was_published(
    sealer, administrator
):
    with nothing_recorded(), pytest.raises(CommandError, match="Nothing was published"):
        recover(administrator)


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        ("UPDATE audit_checkpoint SET note = 'none'", "not signed by this key"),
        ("DELETE FROM audit_checkpoint", "not signed by this key"),
        (
            "UPDATE audit_head SET edge[1] = sha256('') || substring(edge[1] FROM 33)",
            "not what was signed",
        ),
        ("UPDATE audit_head SET edge = ARRAY[''::bytea]", "was rewritten"),
    ],
)
def test_recover_audit_trail_refuses_a_tree_that_was_not_signed(
    sealer, administrator, deed, sentence
):
    lose(sealer, kept=1, lost=1)
    with tampering() as superuser:
        superuser.execute(deed)

    with nothing_recorded(), pytest.raises(CommandError, match=sentence):
        recover(administrator)


def test_recover_audit_trail_refuses_others(sealer, auditor):
    lose(sealer, kept=1, lost=1)

    with nothing_recorded(), pytest.raises(CommandError, match="Only an administr"):
        recover(auditor)


def test_recover_audit_trail_needs_a_reason(sealer, administrator):
    lose(sealer, kept=1, lost=1)

    with nothing_recorded(), pytest.raises(CommandError, match="what was found out"):
        recover(administrator, reason="")


@pytest.mark.parametrize("published", [True, False])
def test_recover_audit_trail_goes_on_where_it_was_interrupted(
    sealer, administrator, published
):
    lose(sealer, kept=2, lost=1)
    old = sealer.files.key_file.read_text()
    recover(administrator)
    sealer.files.key_file.rename(
        sealer.files.key_file.with_name("signing.key.successor")
    )
    sealer.files.key_file.write_text(old)
    sealer.files.key_file.chmod(0o600)
    if not published:
        aside = "signing.key.checkpoint.test.example-audit-1"
        lost = sealer.files.key_file.with_name(aside)
        sealer.files.publish(lost.read_text())

    with nothing_recorded():
        recover(administrator)

    sealer.seal()
    assert sealer.signer.name == SUCCESSOR


@pytest.mark.parametrize(
    ("origin", "following"),
    [
        ("a.example/audit/1", "a.example/audit/2"),
        ("a.example/audit/9", "a.example/audit/10"),
        ("a.example/audit", "a.example/audit/2"),
        ("a.example/audit/0", "a.example/audit/0/2"),
    ],
)
def test_the_next_log_has_the_next_number(origin, following):
    assert next_origin(origin) == following
