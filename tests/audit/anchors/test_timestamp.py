import pytest

from apps.audit.anchors.addresses import anchor_of
from apps.audit.anchors.anchor import Unpublished
from tests.audit.anchors.logs import MemoryLog
from tests.audit.anchors.places import (
    AuthorityPlace,
    HttpPlace,
    make_authority,
    openssl,
)


@pytest.fixture
def log():
    return MemoryLog(3)


@pytest.fixture
def authority(tmp_path):
    with AuthorityPlace(tmp_path / "authority") as place:
        yield place


def test_publish_brings_a_token_that_openssl_accepts(authority, log, tmp_path):
    anchor = anchor_of(authority.address)

    receipt = anchor.publish(log.statement(3), log)

    (tmp_path / "3.tsr").write_bytes(receipt.token)
    (tmp_path / "note").write_text(log.notes[3])
    openssl("ts -verify -in 3.tsr -data note -CAfile authority/ca.pem", tmp_path)
    assert authority.requests[0][:2] == ("/tsr", "application/timestamp-query")
    assert anchor.look(log) is None


def test_a_token_of_a_stranger_is_refused(authority, log, tmp_path):
    make_authority(tmp_path / "other")
    address = authority.address.replace("/authority/", "/other/")

    with pytest.raises(Unpublished, match="openssl does not accept"):
        anchor_of(address).publish(log.statement(3), log)


class Forgetful(AuthorityPlace):
    """Answers every request with its first answer."""

    first = None

    def answer(self, body):
        self.first = self.first or super().answer(body)
        return self.first


def test_a_token_of_another_checkpoint_is_refused(log, tmp_path):
    with Forgetful(tmp_path / "authority") as authority:
        anchor = anchor_of(authority.address)
        anchor.publish(log.statement(3), log)
        log.grow(1)

        with pytest.raises(Unpublished, match="openssl does not accept"):
            anchor.publish(log.statement(4), log)


class Refusing(HttpPlace):
    """Wants to be paid."""

    def answer(self, body):
        return 402, "text/plain", b""


def test_an_authority_that_refuses_is_said(log, tmp_path):
    with Refusing() as place:
        address = f"tsa+http://127.0.0.1:{place.port}/#{tmp_path}/ca.pem"

        with pytest.raises(Unpublished, match=r"refuses .HTTP 402"):
            anchor_of(address).publish(log.statement(3), log)


def test_a_machine_without_openssl_says_so(authority, log, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unpublished, match="program openssl cannot be used"):
        anchor_of(authority.address).publish(log.statement(3), log)
