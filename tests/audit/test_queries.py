from uuid import uuid4

import pytest
import time_machine
from django.db import transaction

from apps.accounts import actions as accounts
from apps.audit import queries
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.queries import AuditFilter
from apps.audit.record import record
from apps.core.errors import Invalid
from tests.factories import projects as project_factory
from tests.factories import registry
from tests.permission_rows import PEOPLE

FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"]


@pytest.fixture
def trail(world, administrator):
    """Three sign-ins, at the ends of one day and after it."""
    for moment in (
        "2020-01-31T00:00:00Z",
        "2020-01-31T23:59:59.999999Z",
        "2020-02-01T00:00:00Z",
    ):
        with time_machine.travel(moment, tick=False):
            accounts.record_sign_in(address="192.0.2.1", by=world.validator)
    return AuditEvent.objects.all()


def found(events, **wanted) -> list[str]:
    narrowed = queries.matching(events, AuditFilter(**wanted)).order_by("pk")
    return [f"{event.type} {event.at:%d %H:%M}" for event in narrowed]


SIGNED_IN = [f"account.signed_in {at}" for at in ("31 00:00", "31 23:59", "01 00:00")]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("", "2020-12-31", SIGNED_IN),
        ("2020-01-31", "2020-01-31", SIGNED_IN[:2]),
        ("2020-02-01", "2020-02-01", SIGNED_IN[2:]),
        ("2020-01-31T12:00:00Z", "2020-02-01T00:00:00Z", SIGNED_IN[1:]),
        ("2020-01-31 12:00", "2020-01-31 23:59:59", []),
        ("2020-01-31T12:00:00+12:00", "2020-01-31T01:00:00+00:00", SIGNED_IN[:1]),
        ("2020-03-01", "2020-03-01", []),
        ("0001-01-01", "9999-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00+14:00", "9999-12-31", None),
    ],
)
def test_a_time_narrows_to_whole_days_or_moments(trail, since, until, expected):
    events = found(trail, since=since, until=until)

    assert events == (found(trail) if expected is None else expected)


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2020-02-30",
        "2020-13-01",
        "31.01.2020",
        "2020-01-31T25:00",
        "0",
        "2020-01-31T00:00:00+99:99",
        "-1",
        "9" * 5000,
        "2020-01-31'; --",
        "2026-01-31T00:00:00-23:59",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_what_is_no_date_is_refused(db, name, value):
    with pytest.raises(Invalid, match=f"{name} must be a date") as caught:
        found(AuditEvent.objects.all(), **{name: value})

    assert caught.value.fields == {name: "Not a date."}


def test_an_unknown_kind_of_event_is_refused(db):
    with pytest.raises(Invalid, match=r"'coffee.made' is not a kind of event"):
        found(AuditEvent.objects.all(), type="coffee.made")


def test_a_nul_is_refused(db):
    with pytest.raises(Invalid, match="NUL"):
        found(AuditEvent.objects.all(), text="a\0b")


def test_every_other_filter_narrows(trail, world, administrator):
    project = world.project
    accounts.set_agency_roles(
        person=world.developer, agency_roles=["auditor"], by=administrator
    )
    event = trail.latest("pk")
    count = {
        name: len(found(trail, **wanted))
        for name, wanted in {
            "type": {"type": "account.signed_in"},
            "person": {"person": "vera"},
            "person and type": {"person": "ADA ADMIN", "type": "account.roles_set"},
            "project": {"project": "inspection", "type": "project.created"},
            "project id": {"project": str(project.pk), "type": "project.created"},
            "other project": {"project": str(uuid4())},
            "target": {"target": "inspec", "type": "project.created"},
            "outcome": {"outcome": "success", "type": "account.roles_set"},
            "target id": {"target": str(world.developer.pk)},
            "text": {"text": "no such reason"},
            "wildcard": {"person": "%"},
            "request": {"request": "no-such-request"},
        }.items()
    }

    assert event.type == "account.roles_set"
    assert count == {
        "type": 3,
        "person": 3,
        "person and type": 1,
        "project": 1,
        "project id": 1,
        "other project": 0,
        "target": 1,
        "outcome": 1,
        "target id": 2,
        "text": 0,
        "wildcard": 0,
        "request": 0,
    }


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("damage-risk", True),
        ("damage-ri", True),
        ("damage-ris version", False),
        ("damage-risk-1", False),
        ("amage-risk", False),
        ("---", False),
        ("DAMAGE", True),
        ("dam", True),
        ("da", False),
        ("amage", False),
        ("inspection/damage-risk", True),
        ("risk version 1", True),
        ("damage version", True),
        ("risk version 2", False),
        ("'", False),
        ("dam'age", False),
        ("damage:* | x", False),
        ("registered", False),
    ],
)
def test_words_are_found_where_they_begin(world, text, is_found):
    registry.model_version(world.project, world.data_scientist, "damage-risk")
    events = AuditEvent.objects.filter(type="model.version_registered")

    for wanted in (AuditFilter(text=text), AuditFilter(target=text)):
        assert queries.matching(events, wanted).exists() == is_found
        assert queries.matching_one_by_one(events, wanted).exists() == is_found


def test_words_of_reason_project_and_changes_are_found_by_text_only(world):
    change = {"file": ["old name.csv", "folder/strikes.csv"]}
    with transaction.atomic():
        record(
            EventType.DATASET_EDITED,
            target=world.project,
            project=world.project,
            by=world.program_manager,
            changes=change,
            reason="Because of a typo",
        )
    events = AuditEvent.objects.filter(type="dataset.edited")

    for word in ("because", "typo", "strikes.csv", "folder", "old"):
        assert queries.matching(events, AuditFilter(text=word)).exists()
        assert not queries.matching(events, AuditFilter(target=word)).exists()
    assert not queries.matching(events, AuditFilter(text="value")).exists()


def test_a_type_may_stand_for_all_of_one_resource(world):
    found = queries.matching(AuditEvent.objects.all(), AuditFilter(type="member.*"))

    assert {event.type for event in found} == {"member.added"}


@pytest.mark.parametrize("wanted", ["coffee.*", ".*", "*", "member", "member.add*"])
def test_a_type_that_stands_for_nothing_is_refused(db, wanted):
    with pytest.raises(Invalid, match="is not a kind of event"):
        found(AuditEvent.objects.all(), type=wanted)


@pytest.mark.parametrize(
    ("period", "expected"),
    [("today", ["10"]), ("7d", ["03", "10"]), ("30d", ["01", "03", "10"])],
)
def test_a_period_reaches_back_from_today(world, period, expected):
    for day in (1, 3, 10):
        with time_machine.travel(f"2050-03-{day:02}T00:00:00Z", tick=False):
            accounts.record_sign_in(address="192.0.2.1", by=world.validator)

    with time_machine.travel("2050-03-10T23:00:00Z", tick=False):
        narrowed = queries.matching(
            AuditEvent.objects.all(), AuditFilter(period=period)
        ).order_by("pk")

        assert [f"{event.at:%d}" for event in narrowed] == expected


def test_an_unknown_period_is_refused(db):
    with pytest.raises(Invalid, match="period must be today, 7d, 30d"):
        found(AuditEvent.objects.all(), period="90d")


def test_a_filter_is_read_from_a_query_string():
    wanted = AuditFilter.from_query({"person": " vera ", "page": "3", "type": ""})

    assert wanted == AuditFilter(person="vera")
    assert wanted.given == {"person": "vera"}


@pytest.mark.parametrize("person", PEOPLE)
def test_each_person_sees_and_exports_their_part(world, person):
    other = project_factory.project("other")
    user = getattr(world, person)
    accounts.record_sign_in(address="192.0.2.1", by=user)
    own = AuditEvent.objects.filter(actor_id=user.pk)

    visible = AuditEvent.objects.visible_to(user)
    exportable = AuditEvent.objects.exportable_by(user)

    here, there = ({"project_id": project.pk} for project in (world.project, other))
    reads_all = person in {"auditor", "ai_official"}
    reads_here = reads_all or person in {
        "program_manager",
        "data_scientist",
        "validator",
        "operations_manager",
    }
    assert set(own) <= set(visible)
    assert visible.filter(**here).exists() == reads_here
    assert visible.filter(**there).exists() == reads_all
    assert exportable.filter(**here).exists() == (
        person in {"auditor", "program_manager"}
    )
    assert exportable.filter(**there).exists() == (person == "auditor")
