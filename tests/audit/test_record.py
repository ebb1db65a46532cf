import pytest
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.actions import service_account
from apps.audit.body import flaw_of
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.record import (
    Entry,
    OutsideTransaction,
    difference,
    record,
    record_independent,
    record_many,
)
from apps.core.context import WorkContext, working


def test_record_keeps_words_and_ids(world, validator):
    with (
        working(WorkContext("r1", "api", "POST /x")),
        transaction.atomic(),
    ):
        event = record(
            EventType.PROJECT_EDITED,
            target=world.project,
            project=world.project,
            by=validator,
            changes={"name": ["a", "b"]},
            reason="Because.",
        )

    event = AuditEvent.objects.get(pk=event.pk)
    assert event.type == "project.edited"
    assert event.actor_id == validator.pk
    assert event.actor_label == "Vera Validator <validator@agency.example>"
    assert (event.actor_kind, event.actor_roles) == ("person", ["validator"])
    assert event.target_type == "projects.project"
    assert event.target_id == str(world.project.pk)
    assert event.target_label == event.project_label == "Inspection"
    assert event.target_path == world.project.get_absolute_url()
    assert event.project_id == world.project.pk
    assert event.changes == {"name": ["a", "b"]}
    assert event.reason == "Because."
    assert (event.channel, event.request_id) == ("api", "r1")


def test_record_outlives_the_names_of_its_time(world):
    event = AuditEvent.objects.get(type="project.created")

    world.project.name = "Renamed"
    world.project.save()

    event.refresh_from_db()
    assert event.target_label == "Inspection"


def test_record_needs_a_transaction(committed):
    worker = service_account()

    with pytest.raises(OutsideTransaction, match="inside its action"):
        record(EventType.ACCOUNT_EDITED, target=worker, project=None, by=worker)


def test_record_refuses_an_unknown_type(developer):
    with pytest.raises(ValueError, match="coffee"):
        record("coffee.made", target=developer, project=None, by=developer)


def test_record_shortens_a_long_name(developer):
    developer.full_name = "x" * 400

    event = record(
        EventType.ACCOUNT_EDITED,
        target=developer,
        project=None,
        by=developer.__class__.objects.get(pk=developer.pk),
    )

    assert len(event.target_label) == 300


def test_difference_lists_only_what_differs():
    assert difference({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == {
        "b": [2, 3],
        "c": [None, 4],
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET request_id = 'other'",
        "UPDATE audit_auditevent SET body = body",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "TRUNCATE audit_auditevent CASCADE",
        "SET session_replication_role = replica; DELETE FROM audit_auditevent",
    ],
)
def test_the_database_refuses_to_change_the_trail(world, statement):
    before = list(AuditEvent.objects.order_by("pk").values())

    with (
        pytest.raises(Error, match="audit events are append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert list(AuditEvent.objects.order_by("pk").values()) == before


def test_the_models_own_ways_are_refused_too(world):
    event = AuditEvent.objects.latest("pk")
    event.request_id = "other"

    with pytest.raises(Error, match="UPDATE refused"), transaction.atomic():
        event.save()
    with pytest.raises(Error, match="DELETE refused"), transaction.atomic():
        event.delete()


def test_every_event_reads_as_a_sentence(world):
    event = AuditEvent.objects.filter(type="member.added").first()

    assert str(event) == (
        "Petra Program <program_manager@agency.example> added a member to Inspection"
    )


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_type_is_named_after_its_resource(event_type):
    resource, _, past = event_type.value.partition(".")

    assert resource.replace("_", "").isalpha()
    assert past
    assert event_type.name.startswith(resource.upper())
    assert event_type.label[0].islower()


def test_record_many_appends_all_in_one_statement(world, validator):
    people = (world.developer, world.auditor)
    entries = [Entry(one, None, {"n": n}) for n, one in enumerate(people)]

    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        events = record_many(EventType.ACCOUNT_EDITED, entries=entries, by=validator)

    inserts = [each for each in queries if "INTO audit_auditevent" in each["sql"]]
    stored = AuditEvent.objects.order_by("-pk")[: len(entries)]
    assert len(inserts) == 1
    assert [event.pk for event in events] == sorted(event.pk for event in stored)
    assert [event.changes["n"] for event in events] == list(range(len(entries)))
    assert {flaw_of(event) for event in stored} == {""}


def test_record_many_of_nothing_asks_nothing(validator, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert record_many(EventType.ACCOUNT_EDITED, entries=[], by=validator) == []


def test_record_independent_survives_what_was_rolled_back(committed):
    worker = service_account()
    with transaction.atomic():
        record(EventType.ACCOUNT_EDITED, target=worker, project=None, by=worker)
        transaction.set_rollback(True)

    record_independent(EventType.ACCESS_FAILED, target=worker, project=None, by=worker)

    assert [event.type for event in AuditEvent.objects.all()] == ["access.failed"]


def test_record_independent_does_not_join_a_transaction(committed):
    worker = service_account()

    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        record_independent(
            EventType.ACCESS_FAILED, target=worker, project=None, by=worker
        )
