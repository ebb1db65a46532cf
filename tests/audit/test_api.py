import pytest

from apps.accounts import actions as accounts
from apps.audit.models import AuditEvent
from apps.audit.queries import FIELDS
from tests.costs import queries_of
from tests.trail import nothing_recorded

EVENTS = "/api/v1/audit/events"


@pytest.fixture
def auditors(auditor, api_of):
    """A program that reads for an auditor."""
    return api_of(auditor, "read")


def test_events_are_listed_newest_first(auditors):
    answer = auditors.get(EVENTS, {"limit": 3}).json()

    newest = AuditEvent.objects.exclude(type="audit.viewed").order_by("-pk")[:3]
    assert [row["event_id"] for row in answer["results"]] == [
        str(event.event_id) for event in newest
    ]
    assert tuple(answer["results"][0]) == FIELDS
    assert "after=" in answer["next"]


def test_next_leads_through_the_whole_trail(auditors):
    before = AuditEvent.objects.count()
    address, seen = f"{EVENTS}?limit=4", []
    while address:
        page = auditors.get(address).json()
        seen += [row["event_id"] for row in page["results"]]
        address = page["next"]

    assert len(seen) == len(set(seen)) == before


def test_events_are_filtered(auditors):
    answer = auditors.get(EVENTS, {"type": "project.created"}).json()

    assert [row["target_label"] for row in answer["results"]] == ["Inspection"]
    assert answer["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [({"since": "soon"}, "since"), ({"type": "coffee.made"}, "type")],
)
def test_a_bad_filter_is_invalid(auditors, query, field):
    with nothing_recorded():
        answer = auditors.get(EVENTS, query)

    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == [field]


def test_events_cost_the_same_with_many_rows(auditors, validator):
    few = queries_of(auditors, EVENTS)
    for _ in range(30):
        accounts.record_sign_in(address="192.0.2.1", by=validator)

    assert queries_of(auditors, EVENTS) == few
