"""The same with separate roles of the database: web and commands as app."""

import pytest
from django.core.management import call_command
from psycopg import errors

from apps.accounts import actions as accounts
from apps.audit.inspection import inspect
from apps.audit.models import Disclosure, Leaf
from apps.audit.retention import actions
from tests.audit.retention.trails import UNIT, after_the_grace, agreed, archived
from tests.audit.roles import acting_as, session_of
from tests.factories import people

REFUSED = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)


def test_the_application_archives_and_removes_what_is_agreed(roles, sealer, two):
    with acting_as(roles["app"]):
        segment = actions.archive_segment(
            number=0, by=accounts.service_account(), leaves=UNIT
        )
    with acting_as(roles["sealer"]):
        sealer.seal()
    with acting_as(roles["app"]):
        prune = actions.request_prune(
            segment=segment, reason="Schedule", by=two.administrator
        )
        actions.approve_prune(prune=prune, by=two.auditor)
    with acting_as(roles["sealer"]):
        sealer.seal()
    with acting_as(roles["app"]), after_the_grace():
        call_command("prune_audit_segments")
    with acting_as(roles["sealer"]):
        findings = [flaw for piece in inspect() for flaw in piece]

    assert not Leaf.objects.filter(pk__lt=UNIT).exists()
    assert findings == []


def test_no_role_removes_anything_by_itself(roles, sealer, two):
    prune = agreed(sealer, archived(sealer), two)

    for kind in ("app", "sealer", "auditor"):
        with session_of(roles[kind]) as session:
            for deed in (
                "DELETE FROM audit_leaf WHERE leaf_index < 256",
                "DELETE FROM audit_auditevent",
                "INSERT INTO audit_pruning SELECT * FROM audit_pruning",
                "UPDATE audit_segment SET last_leaf = 511",
            ):
                with pytest.raises(REFUSED):
                    session.execute(deed)
    for kind in ("sealer", "auditor"):
        with session_of(roles[kind]) as session, pytest.raises(REFUSED):
            session.execute("SELECT audit_prune_segment(0, %s)", [prune.pk])


def test_the_application_erases_a_person(roles, two):
    person = people.person("leaving@agency.example", "Lena Leaver")
    second = people.person("sec@agency.example", agency_roles=["administrator"])
    accounts.deactivate_person(person=person, by=two.administrator)

    with acting_as(roles["app"]):
        asked = accounts.request_erasure(
            person=person, legal_basis="Article 17", by=two.administrator
        )
        accounts.approve_erasure(erasure=asked, password=people.PASSWORD, by=second)

    assert not Disclosure.objects.filter(value__icontains="leaver").exists()
