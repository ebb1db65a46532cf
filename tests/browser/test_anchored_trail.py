"""The key that goes on paper, and what the audit page says of copies outside."""

import pytest
from django.urls import reverse

from apps.audit.anchors.publisher import open_publisher
from tests.audit.anchors.publishing import is_later
from tests.audit.sealing import happen, sealer_in

pytestmark = pytest.mark.browser


@pytest.fixture
def anchored(committed, settings, tmp_path):
    """A trail with an anchor that took it, one that is away, one that nobody serves."""
    share = tmp_path / "share"
    share.mkdir()
    addresses = [f"dir://{share}", "dir:///mnt/away", "syslog:///nowhere/log"]
    settings.AUDIT_ANCHORS = addresses
    sealer = sealer_in(tmp_path)
    happen(30)
    sealer.seal_and_tell()
    publisher = open_publisher(sealer)
    publisher.publish()
    is_later(minutes=16)
    publisher.publish()
    return sealer


def test_the_key_is_ready_for_paper(world, anchored, signed_in):
    auditor = signed_in("auditor")
    auditor.go(reverse("audit:list"))
    auditor.page.get_by_text("Seal, copies outside, protection").click()
    auditor.sees("Copies outside")
    auditor.picture("audit-anchors")

    auditor.follow("Put the key on paper")

    auditor.sees(anchored.signer.vkey)
    image = auditor.page.get_by_role("img", name="QR code of the verification key")
    assert image.evaluate("image => image.naturalWidth") > 0
    auditor.picture("audit-key")
    auditor.page.pdf(path=auditor.pictures / "audit-key.pdf", format="A4")
