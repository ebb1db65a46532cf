import subprocess

import pytest

from apps.audit.models import Key
from apps.audit.printed_key import fingerprint_of
from tests.audit.sealing import happen, sealer_in
from tests.factories import people

VKEY = "portal.example/audit/1+0a1b2c3d+AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh"


@pytest.fixture
def page_of_a_key(db, auditor, client_of):
    Key.objects.create(vkey=VKEY, from_size=1234)
    return client_of(auditor).get("/audit/key/")


def test_the_page_shows_the_key_as_text_picture_and_fingerprint(page_of_a_key):
    html = page_of_a_key.content.decode()

    assert VKEY in html
    assert 'src="data:image/svg+xml' in html
    assert "1,234 events" in html
    for group in fingerprint_of(VKEY):
        assert f"<span>{group}</span>" in html


def test_the_picture_may_be_shown(page_of_a_key):
    policy = page_of_a_key["Content-Security-Policy"]

    assert "img-src 'self' data:" in policy


def test_an_auditor_computes_the_same_fingerprint():
    digits = subprocess.run(
        ["sha256sum"], input=VKEY, capture_output=True, text=True, check=True
    ).stdout.split()[0]

    assert "".join(fingerprint_of(VKEY)) == digits
    assert {len(group) for group in fingerprint_of(VKEY)} == {4}


def test_the_newest_key_stands_first(committed, client_of, tmp_path):
    happen(1)
    sealer = sealer_in(tmp_path)
    Key.objects.create(vkey=VKEY, from_size=0)
    sealer.seal()

    html = client_of(people.administrator()).get("/audit/key/").content.decode()

    assert html.index(sealer.signer.vkey) < html.index(VKEY)
    assert html.count("replaced since") == 1


def test_the_page_waits_for_the_first_seal(db, auditor, client_of):
    html = client_of(auditor).get("/audit/key/").content.decode()

    assert "Nothing is signed yet" in html
