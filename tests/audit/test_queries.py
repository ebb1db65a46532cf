from uuid import uuid4

import pytest
import time_machine

from apps.accounts import actions as accounts
from apps.audit import queries
from apps.audit.models import AuditEvent
from apps.audit.queries import AuditFilter
from apps.core.errors import Invalid
from tests.factories import projects as project_factory
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
