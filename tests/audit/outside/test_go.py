"""Go's packages for its own checksum database accept what the portal exports."""

import subprocess

import pytest


@pytest.fixture
def asked(checkbundle, export):
    def ask(**changed):
        files = [export.proof, export.event, export.kept, export.consistency]
        vkey = changed.get("vkey", export.vkey)
        done = subprocess.run(
            [checkbundle, export.folder, vkey, *files],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout.strip()

    return ask


def test_go_accepts_events_tiles_and_proofs_of_a_real_export(asked):
    assert asked() == (0, "ok")


def edit(path, old, new):
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


def test_go_refuses_what_was_touched(asked, export):
    stranger = "portal.example/audit/1+cc9517f4+"
    stranger += "AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
    newest = export.folder / "checkpoint"
    segment = export.folder / "segments" / "000000.jsonl"
    tile = export.folder / "tile" / "0" / "000"
    touches = {
        "these are not the events": (segment, b"success", b"failure"),
        "is not the tile": (tile, tile.read_bytes()[:1], b"\x00\x01"),
        "proof of the event": (export.event, b"success", b"failure"),
        "proof of consistency": (
            export.consistency,
            export.consistency.read_bytes()[:44],
            b"A" * 43 + b"=",
        ),
        "invalid signature": (newest, b"\n305\n", b"\n304\n"),
    }

    assert "no verifiable signatures" in asked(vkey=stranger)[1]
    for said, (path, old, new) in touches.items():
        genuine = path.read_bytes()
        edit(path, old, new)

        code, answer = asked()

        assert (code, said in answer) == (1, True), answer
        path.write_bytes(genuine)
    assert asked() == (0, "ok")
