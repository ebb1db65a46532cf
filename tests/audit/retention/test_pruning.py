"""Removal in the database: what may go, what stays, and what is proved afterwards."""

import psycopg
import pytest
from django.db import connection
from psycopg import errors

from apps.accounts.actions import service_account
from apps.audit.inspection import inspect
from apps.audit.models import AuditEvent, Checkpoint, Head, Leaf, Tile
from apps.audit.retention import actions, queries
from apps.audit.retention.models import PruneStatus, Pruning
from apps.audit.stored_tree import reader
from apps.audit.transparency.tiles import hashes_in
from apps.audit.transparency.tree import (
    inclusion_proof,
    leaf_hash,
    root_at,
    verify_inclusion,
)
from apps.core.errors import Refused, WrongState
from tests.audit.retention.trails import (
    UNIT,
    after_the_grace,
    agreed,
    archived,
    happen_at_once,
    pruned,
)
from tests.audit.sealing import (
    connect,
    happen,
    newest,
    sealer_in,
    tampering,
    undo_tampering,
)
from tests.trail import FailedHalfWay, no_room_for_events


def executed(*statements: str) -> None:
    """Run statements as the owner of the tables, in one transaction of its own."""
    with connect() as session:
        for statement in statements:
            session.execute(statement)


def prune_now(prune) -> str:
    return f"SELECT audit_prune_segment({prune.segment_id}, '{prune.pk}')"


def findings() -> list[str]:
    return [flaw for piece in inspect() for flaw in piece]


def test_prune_segment_removes_its_rows_and_no_others(sealer, two):
    before = set(AuditEvent.objects.values_list("pk", flat=True))
    first = set(
        AuditEvent.objects.filter(leaf__leaf_index__lt=UNIT).values_list(
            "pk", flat=True
        )
    )

    pruned(sealer, two)

    left = set(AuditEvent.objects.values_list("pk", flat=True))
    assert before - left == first
    assert Leaf.objects.order_by("pk")[0].pk == UNIT
    assert not Tile.objects.filter(level=0, index=0).exists()
    assert Tile.objects.filter(level=0, index=1).exists()
    event = AuditEvent.objects.get(type="audit.segment_pruned")
    assert event.changes["first_leaf"] == 0
    assert event.changes["last_leaf"] == UNIT - 1


def test_the_root_and_proofs_of_the_rest_stay(sealer, two):
    size, root = newest(sealer)

    pruned(sealer, two)
    happen(3)
    sealer.seal()

    head = Head.objects.get()
    get_hash = hashes_in(reader(head))
    assert root_at(size, get_hash) == root
    _, present = newest(sealer)
    for leaf in Leaf.objects.select_related("event"):
        proof = inclusion_proof(leaf.pk, head.size, get_hash)
        body = leaf.event.body.encode()
        verify_inclusion(leaf_hash(body), leaf.pk, head.size, proof, present)


def test_the_inspection_finds_nothing_wrong_with_what_was_pruned(sealer, two):
    pruned(sealer, two, number=1)

    assert findings() == []


def test_a_later_segment_can_go_while_an_earlier_one_is_kept(sealer, two):
    pruned(sealer, two, number=1)
    pruned(sealer, two, number=0)

    assert [one.first_leaf for one in queries.pruned_segments()] == [0, UNIT]
    assert findings() == []


def test_the_inspection_finds_what_is_missing_beside_it(sealer, two):
    pruned(sealer, two)
    with tampering() as superuser:
        superuser.execute(
            "DELETE FROM audit_auditevent USING audit_leaf"
            " WHERE event_pk = audit_auditevent.id AND leaf_index = 300"
        )

    assert len(findings()) == 1
    assert "Sealed event 300" in findings()[0]
    undo_tampering()


def test_the_inspection_does_not_take_the_word_of_a_row_for_it(sealer, two):
    """A superuser removes a segment and writes that it was agreed to."""
    prune = actions.request_prune(
        segment=archived(sealer), reason="x", by=two.administrator
    )
    with tampering() as superuser:
        superuser.execute(
            "INSERT INTO audit_pruning VALUES (0, 7, now(), %s, '7'::xid8)", [prune.pk]
        )
        superuser.execute(
            "DELETE FROM audit_auditevent USING audit_leaf"
            " WHERE event_pk = audit_auditevent.id AND leaf_index < 256"
        )

    assert len(findings()) == UNIT
    undo_tampering()


DELETES = [
    "DELETE FROM audit_auditevent WHERE false",
    "DELETE FROM audit_auditevent",
    "DELETE FROM audit_leaf WHERE leaf_index < 256",
    "DELETE FROM audit_tile WHERE level = 0 AND index = 0",
    "DELETE FROM audit_checkpoint",
    "DELETE FROM audit_segment",
    "DELETE FROM audit_pruning",
    "DELETE FROM audit_prunerequest",
    "DELETE FROM audit_legalhold",
    "UPDATE audit_segment SET last_leaf = 1000000",
    "TRUNCATE audit_leaf",
]


def test_nothing_else_opens_the_tables(sealer, two):
    """Not an agreement, not one that is carried out, not a setting of the session."""
    pruned(sealer, two)
    agreed(sealer, archived(sealer, number=1), two)

    for deed in DELETES:
        with pytest.raises(psycopg.Error, match="append-only"):
            executed("SET audit.pruning = 'on'", deed)


STRAYS = [
    "DELETE FROM audit_auditevent WHERE id = (SELECT max(id) FROM audit_auditevent)",
    "DELETE FROM audit_auditevent WHERE id = (SELECT event_pk FROM audit_leaf LIMIT 1)",
    "DELETE FROM audit_leaf WHERE leaf_index = 300",
    "DELETE FROM audit_tile WHERE level = 0 AND index = 1",
    "DELETE FROM audit_checkpoint",
    "UPDATE audit_auditevent SET body = body",
]


def test_the_pruning_of_one_segment_opens_no_other(sealer, two):
    prune = agreed(sealer, archived(sealer), two)

    for deed in STRAYS:
        with pytest.raises(errors.InsufficientPrivilege):
            executed(prune_now(prune), deed)
    assert AuditEvent.objects.filter(leaf__leaf_index__lt=UNIT).count() == UNIT


def refused_by_the_database(prune, message: str) -> None:
    with pytest.raises(psycopg.Error, match=message):
        executed(prune_now(prune))
    assert Leaf.objects.filter(pk__lt=UNIT).count() == UNIT


def test_the_database_asks_for_two_people_and_a_seal(sealer, two):
    prune = actions.request_prune(
        segment=archived(sealer), reason="x", by=two.administrator
    )
    sealer.seal()
    refused_by_the_database(prune, "two people")

    actions.approve_prune(prune=prune, by=two.auditor)
    refused_by_the_database(prune, "two people")  # not sealed yet

    sealer.seal()
    actions.withdraw_prune(prune=prune, reason="x", by=two.auditor)
    refused_by_the_database(prune, "two people")


def test_the_database_asks_for_a_sealed_archive(sealer, two):
    segment = archived(sealer)
    prune = agreed(sealer, segment, two)
    with tampering() as superuser:
        superuser.execute(
            "DELETE FROM audit_leaf USING audit_auditevent AS event"
            " WHERE event_pk = event.id AND type = 'audit.segment_archived'"
        )

    refused_by_the_database(prune, "no sealed archive")
    undo_tampering()


def test_the_database_asks_for_holds_and_a_lift_must_be_sealed(sealer, two):
    prune = agreed(sealer, archived(sealer), two)
    hold = actions.place_hold(kind="trail", reason="Case 7", by=two.auditor)
    refused_by_the_database(prune, "legal hold")

    actions.lift_hold(hold=hold, reason="Case closed", by=two.auditor)
    refused_by_the_database(prune, "legal hold")

    sealer.seal()
    executed(prune_now(prune))
    assert not Leaf.objects.filter(pk__lt=UNIT).exists()


def test_the_database_keeps_18_months_whatever_the_settings_say(
    committed, two, settings, tmp_path
):
    settings.AUDIT_RETENTION_MONTHS = 0
    sealer = sealer_in(tmp_path)
    happen_at_once(UNIT)
    while sealer.seal():
        pass
    prune = agreed(sealer, archived(sealer), two)

    refused_by_the_database(prune, "too young")


def test_the_database_refuses_to_prune_over_a_missing_event(sealer, two):
    prune = agreed(sealer, archived(sealer), two)
    with tampering() as superuser:
        superuser.execute(
            "DELETE FROM audit_auditevent USING audit_leaf"
            " WHERE event_pk = audit_auditevent.id AND leaf_index = 7"
        )

    refused_by_the_database(prune, "not complete")
    undo_tampering()


def test_a_role_without_the_right_to_delete_prunes_by_the_function_only(sealer, two):
    prune = agreed(sealer, archived(sealer), two)
    role = f"pruner_of_{connection.settings_dict['NAME']}"
    with connect() as owner:
        owner.execute(f"CREATE ROLE {role}")
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    try:
        with pytest.raises(errors.InsufficientPrivilege):
            executed(f"SET ROLE {role}", prune_now(prune))
        with connect() as owner:
            owner.execute(
                f"GRANT EXECUTE ON FUNCTION audit_prune_segment(bigint, uuid) TO {role}"
            )
        delete = "DELETE FROM audit_leaf WHERE leaf_index < 256"
        with pytest.raises(errors.InsufficientPrivilege, match="permission denied"):
            executed(f"SET ROLE {role}", prune_now(prune), delete)
        executed(f"SET ROLE {role}", prune_now(prune))
    finally:
        with connect() as owner:
            owner.execute(f"DROP OWNED BY {role}")
            owner.execute(f"DROP ROLE {role}")


def test_a_table_of_the_same_name_does_not_fool_the_function(sealer, two):
    prune = actions.request_prune(
        segment=archived(sealer), reason="x", by=two.administrator
    )

    with pytest.raises(psycopg.Error, match="two people"):
        executed(
            "CREATE TEMP TABLE audit_pruning (LIKE audit_pruning)",
            "CREATE FUNCTION pg_temp.audit_hold_on(bigint) RETURNS uuid"
            " LANGUAGE sql AS 'SELECT NULL::uuid'",
            prune_now(prune),
        )


def test_a_failure_half_way_removes_nothing(sealer, two):
    prune = agreed(sealer, archived(sealer), two)

    with after_the_grace(), no_room_for_events(), pytest.raises(FailedHalfWay):
        actions.prune_segment(prune=prune, by=service_account())

    prune.refresh_from_db()
    assert prune.status == PruneStatus.APPROVED
    assert Leaf.objects.filter(pk__lt=UNIT).count() == UNIT
    assert not Pruning.objects.exists()


def test_checkpoints_before_and_after_are_all_kept(sealer, two):
    before = Checkpoint.objects.count()

    pruned(sealer, two)

    assert Checkpoint.objects.count() > before


def test_prune_segment_is_for_background_work_only(sealer, two):
    prune = agreed(sealer, archived(sealer), two)

    with after_the_grace(), pytest.raises(Refused, match="Only a worker"):
        actions.prune_segment(prune=prune, by=two.auditor)
    with pytest.raises(WrongState, match="can be stopped until"):
        actions.prune_segment(prune=prune, by=service_account())
