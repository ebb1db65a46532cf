"""A superuser of the database at work, triggers off: what the portal and the offline
verifier then say, and where."""

from dataclasses import dataclass
from itertools import chain

import pytest
from django.core.management import call_command

from apps.audit.inspection import inspect
from apps.audit.sealer import tell_finding
from tests.audit.sealing import (
    bundle,
    happen,
    sealed,
    sealer_in,
    tampering,
    undo_tampering,
)
from tests.audit.test_evidence import TAMPERED, VERIFIED, verified
from tests.factories import people

PLACE = 7
FORGED = """
CREATE TEMP TABLE forged ON COMMIT DROP AS
    SELECT * FROM audit_auditevent WHERE id = {pk};
ALTER TABLE forged DROP COLUMN words;
UPDATE forged SET id = 99999, event_id = gen_random_uuid(), xid = '3',
    body = replace(body, 'edited', 'created'), leaf_hash = sha256('forged');
INSERT INTO audit_auditevent SELECT * FROM forged;
"""
MIDDLE = """
UPDATE audit_leaf SET leaf_index = -leaf_index - 1 WHERE leaf_index >= 7;
UPDATE audit_leaf SET leaf_index = -leaf_index WHERE leaf_index < 0;
INSERT INTO audit_leaf VALUES (7, 99999)
"""
SWAP = """
UPDATE audit_leaf SET leaf_index = -1 WHERE leaf_index = 7;
UPDATE audit_leaf SET leaf_index = 7 WHERE leaf_index = 9;
UPDATE audit_leaf SET leaf_index = 9 WHERE leaf_index = -1
"""
REHASHED = """
UPDATE audit_auditevent SET body = replace(body, 'edited', 'created') WHERE id = {pk};
UPDATE audit_auditevent SET leaf_hash = sha256('\\x00'::bytea || body::bytea)
    WHERE id = {pk}
"""


@dataclass(frozen=True)
class Deed:
    """What the superuser does, and what is said then.

    Args:
        statements: SQL; `pk` stands for the sealed event number 7.
        sentence: the finding of the inspection, shown on the page.
        index: where the verifier sees it; None when what is exported is still true.
    """

    statements: str
    sentence: str
    index: int | None


EVENT = "Sealed event 7 (audit event {pk})"
DEEDS = {
    "edit": Deed(
        "UPDATE audit_auditevent SET body = replace(body, 'edited', 'created')"
        " WHERE id = {pk}",
        f"{EVENT} was changed after it was sealed: its text does not fit its hash.",
        PLACE,
    ),
    "edit with its hash": Deed(REHASHED, f"{EVENT} was exchanged: its hash", PLACE),
    "edit a column": Deed(
        "UPDATE audit_auditevent SET type = 'account.created' WHERE id = {pk}",
        f"{EVENT} was changed after it was sealed: its columns say something else",
        None,
    ),
    "delete": Deed(
        "DELETE FROM audit_auditevent WHERE id = {pk}", f"{EVENT} was removed.", PLACE
    ),
    "delete with its place": Deed(
        "DELETE FROM audit_leaf WHERE event_pk = {pk};"
        " DELETE FROM audit_auditevent WHERE id = {pk}",
        "Sealed event 7 (audit event unknown) was removed.",
        PLACE,
    ),
    "insert in the middle": Deed(
        FORGED + MIDDLE, "Sealed event 7 (audit event 99999) was exchanged", PLACE
    ),
    "insert beside the tree": Deed(
        FORGED, "Audit event 99999 was put in by other means than the portal's.", None
    ),
    "insert behind the end": Deed(
        "INSERT INTO audit_leaf VALUES (777, {pk} + 90000)",
        "Leaf 777 was put in; the tree ends at 260.",
        None,
    ),
    "swap": Deed(SWAP, "Sealed event 7 (audit event ", PLACE),
    "move all": Deed(
        "UPDATE audit_leaf SET event_pk = -event_pk", "Sealed event 0 (audit event -", 0
    ),
    "edit the tree": Deed(
        "UPDATE audit_tile SET hashes ="
        " set_byte(hashes, 7 * 32, get_byte(hashes, 7 * 32) # 1)",
        "Tile 0/0 of the tree was changed.",
        PLACE,
    ),
    "grow the tree": Deed(
        "UPDATE audit_tile SET hashes = hashes || '\\x00'",
        "Tile 0/0 of the tree was removed.",
        None,
    ),
    "delete the tree": Deed(
        "DELETE FROM audit_tile", "Tile 0/0 of the tree was removed.", 0
    ),
}


@pytest.fixture
def key_file(settings, tmp_path):
    settings.AUDIT_SIGNING_KEY_FILE = tmp_path / "signing.key"
    return settings.AUDIT_SIGNING_KEY_FILE


def inspected() -> str:
    """Inspect all, and keep the finding, as the running sealer does."""
    found = " ".join(chain.from_iterable(inspect()))
    tell_finding(found)
    return found


def said_on_the_page(browser) -> str:
    return browser.get("/audit/").content.decode()


def test_a_superuser_is_named_by_the_portal_and_by_the_verifier(
    committed, key_file, tmp_path, client, client_of
):
    auditor = people.person("aud@agency.example", "Ada", agency_roles=["auditor"])
    happen(258)
    sealer, browser = sealer_in(tmp_path), client_of(auditor)
    call_command("seal_audit_trail", "--once")
    pk = sealed()[PLACE]

    for name, deed in DEEDS.items():
        sentence = deed.sentence.format(pk=pk)
        with tampering() as superuser:
            superuser.execute(deed.statements.format(pk=pk))
        taken = bundle()
        found = inspected()
        page, word = said_on_the_page(browser), client.get("/healthz").json()["audit"]
        code, answer = verified(sealer, taken, tmp_path)
        undo_tampering()

        assert sentence in found, name
        assert sentence in page.replace("&#x27;", "'"), name
        assert word == "alarm", name
        indexes = {finding["index"] for finding in answer["findings"]}
        if deed.index is None:
            assert (code, indexes) == (VERIFIED, set()), name
        else:
            assert code == TAMPERED, name
            assert deed.index in indexes, name
    assert inspected() == ""
