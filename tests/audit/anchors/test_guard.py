import pytest

from apps.audit.anchors.standing import outside
from apps.audit.models import (
    Head,
    Publication,
)
from apps.audit.signing import CannotSeal
from tests.audit.anchors.places import (
    closed_port,
    cosigner,
)
from tests.audit.anchors.publishing import (
    publisher_of,
    stop,
)
from tests.audit.sealing import ORIGIN, happen, newest, sealer_in
from tests.audit.test_sealer_process import running_sealer, wait_for


@pytest.mark.parametrize("name", ["directory", "witness"])
def test_the_sealer_refuses_to_sign_behind_an_anchor(rewound, settings, name):
    sealer, addresses = rewound
    publisher = publisher_of(sealer, settings, addresses[name])
    publisher.look()

    with pytest.raises(CannotSeal, match=r"Database behind anchor .* of 4 events"):
        sealer.seal()

    assert newest(sealer)[0] == 2


def test_without_anchors_an_old_backup_goes_unnoticed(rewound):
    """What the guard is for: the sealer's own memory came from the same backup."""
    sealer, _ = rewound

    assert sealer.seal() > 0


def test_the_sealer_refuses_to_sign_another_history(rewound, settings, tmp_path):
    sealer, addresses = rewound
    sealer.seal()
    happen(2)
    sealer.seal()
    happen(1)

    for name, sentence in (
        ("directory", "was rewritten"),
        ("witness", "does not continue"),
    ):
        Publication.objects.all().delete()
        sealer = sealer_in(tmp_path)
        publisher = publisher_of(sealer, settings, addresses[name])
        publisher.look()
        if name == "witness":
            publisher.publish()
        with pytest.raises(CannotSeal, match=sentence):
            sealer.seal()


def test_the_guard_lets_go_when_the_contradiction_is_gone(sealer, settings, share):
    publisher = publisher_of(sealer, settings, f"dir://{share}")
    happen(1)
    sealer.seal()
    sealer.guard.saw_contradiction(f"dir://{share}", ORIGIN, "It holds more.")
    with pytest.raises(CannotSeal, match="It holds more"):
        sealer.seal()

    publisher.publish()
    happen(1)

    assert sealer.seal() == 1


def test_what_anchors_hold_of_a_log_that_ended_counts_nothing(
    rewound, settings, tmp_path
):
    sealer, addresses = rewound
    publisher = publisher_of(sealer, settings, *addresses.values())
    publisher.look()
    with pytest.raises(CannotSeal, match="Database behind anchor"):
        sealer.seal()

    sealer.guard.require_prefix("test.example/audit/2", 2, None)


def test_a_contradiction_is_told_where_the_anchor_stands(rewound, settings):
    sealer, addresses = rewound
    Publication.objects.all().delete()

    publisher_of(sealer, settings, addresses["witness"]).publish()

    assert "of 4 events, the database only 2" in outside().anchors[0].sentence


def test_a_witness_that_cannot_be_asked_stops_nothing(sealer, settings, caplog):
    happen(1)
    sealer.seal()
    address = f"witness+http://127.0.0.1:{closed_port()}/#{cosigner().vkey}"

    publisher_of(sealer, settings, address).look()
    happen(1)

    assert "cannot be asked" in caplog.text
    assert sealer.seal() == 1


def test_threads_look_before_anything_is_signed(rewound, settings):
    sealer, addresses = rewound
    publisher = publisher_of(sealer, settings, addresses["directory"])

    publisher.start()
    stop(publisher)

    assert sealer.guard.held[addresses["directory"]].size == 4


def test_a_running_sealer_refuses_what_an_anchor_contradicts(
    rewound, key_file, monkeypatch
):
    sealer, addresses = rewound
    key_file.parent.mkdir()
    for own in (sealer.files.key_file, sealer.files.published_file):
        key_file.with_name(own.name).write_text(own.read_text())
        key_file.with_name(own.name).chmod(0o600)
    monkeypatch.setenv("AUDIT_ANCHORS", addresses["directory"])
    monkeypatch.setenv("AUDIT_ORIGIN", ORIGIN)

    with running_sealer(key_file):
        wait_for(lambda: "Database behind anchor" in Head.objects.get().obstacle)

    assert newest(sealer)[0] == 2
