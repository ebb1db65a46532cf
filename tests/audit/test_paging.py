"""Pages of the trail: the same events as one long list has, and through an index."""

from itertools import pairwise
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import actions as accounts
from apps.audit import paging
from apps.audit.models import AuditEvent
from apps.audit.paging import count_of, page_of
from apps.audit.queries import AuditFilter, matching
from apps.core.errors import Invalid
from apps.projects import actions as projects
from tests.factories import projects as project_factory

EVENTS = 40_000
MOST_EXAMINED = 6_000  # rows and index entries, for one page
EVERYTHING = AuditFilter()
# Copies of one event, of many people, kinds, projects, days and words.
MANY = """
INSERT INTO audit_auditevent (event_id, at, type, outcome, actor_id, target_type,
    target_id, project_id, request_id, body, payload, leaf_hash, mac, mac_kid)
SELECT (lpad(to_hex(extract(epoch FROM moment)::bigint * 1000), 12, '0')
        || '7' || lpad(to_hex(n %% 4096), 3, '0') || '8' || substr(md5(n::text), 1, 15)
    )::uuid, moment, (%(types)s::text[])[1 + n %% 20],
    CASE WHEN n %% 50 = 0 THEN 'denied' ELSE 'success' END,
    md5('person' || n %% 300)::uuid, target_type, md5('object' || n %% 2000),
    md5('project' || n %% 40)::uuid, 'request-' || n / 2,
    jsonb_set(body::jsonb, '{reason}', to_jsonb(
        CASE WHEN n %% 3 = 0 THEN 'agreed ' ELSE '' END
        || 'word' || n %% 500 || CASE WHEN n < 300 THEN ' ancient' ELSE '' END))::text,
    '', leaf_hash, mac, mac_kid
FROM (SELECT * FROM audit_auditevent ORDER BY id LIMIT 1) AS sample,
    generate_series(1, %(count)s) AS n,
    LATERAL (SELECT '2024-01-01 00:00Z'::timestamptz + n * interval '1 hour' AS moment)
"""
TYPES = [
    "account.signed_in", "training.started", "training.finished", "run.recorded",
    "dataset.downloaded", "approval.requested", "approval.signed_off",
    "approval.approved", "model.alias_moved", "member.added", "project.edited",
    "model.registered", "plan.written", "report.started", "report.finished",
    "token.issued", "model.downloaded", "dataset.created", "experiment.created",
    "account.edited",
]  # fmt: skip


def md5_uuid(text: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT md5(%s)::uuid::text", [text])
        return cursor.fetchone()[0]


@pytest.fixture
def long_trail(world):
    with connection.cursor() as cursor:
        cursor.execute(MANY, {"types": TYPES, "count": EVENTS})
        cursor.execute("ANALYZE audit_auditevent, audit_disclosure")


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr(paging, "ROWS", 4)
    monkeypatch.setattr(paging, "NEAR", 6)
    monkeypatch.setattr(paging, "PART", 12)


@pytest.fixture
def short_trail(world, small_steps):
    """Some dozens of events of several people in two projects."""
    other = project_factory.project("other")
    for number in range(6):
        manager = world.program_manager
        projects.edit_project(
            project=world.project, values={"name": f"Inspection {number}"}, by=manager
        )
        accounts.record_sign_in(address="192.0.2.1", by=world.validator)
        projects.edit_project(
            project=other, values={"mission": f"Words {number}"}, by=other.created_by
        )
    return other


def pages(user, wanted, turn) -> list[list]:
    """Turn all pages in one direction, from the first."""
    found, page = [], page_of(user, wanted)
    while True:
        found.append([event.event_id for event in page.rows])
        cursor = turn(page)
        if not cursor:
            return found
        page = page_of(user, wanted, after=cursor)


FILTERS = [
    {},
    {"person": "petra"},
    {"person": "example"},
    {"type": "project.edited"},
    {"type": "project.*"},
    {"type": "member.*", "outcome": "success"},
    {"outcome": "success", "person": "vera"},
    {"project": "inspection 5"},
    {"text": "words"},
    {"text": "inspection"},
    {"text": "words 3"},
    {"text": "no-such"},
    {"target": "other"},
    {"period": "today"},
    {"person": "petra", "type": "project.*", "text": "inspection"},
]


@pytest.mark.parametrize("reader", ["auditor", "program_manager", "outsider"])
@pytest.mark.parametrize("given", FILTERS, ids=str)
def test_all_pages_hold_what_one_list_has(world, short_trail, reader, given):
    user, wanted = getattr(world, reader), AuditFilter(**given)
    events = matching(AuditEvent.objects.visible_to(user), wanted)

    read = pages(user, wanted, lambda page: page.older)

    expected = list(events.order_by("-event_id").values_list("event_id", flat=True))
    assert [event for page in read for event in page] == expected
    assert all(len(page) == paging.ROWS for page in read[:-1])


@pytest.mark.parametrize("reader", ["auditor", "program_manager"])
@pytest.mark.parametrize("given", FILTERS, ids=str)
def test_pages_turn_back_the_way_they_came(world, short_trail, reader, given):
    user, wanted = getattr(world, reader), AuditFilter(**given)
    page, way = page_of(user, wanted), []
    while page.older:
        way.append([event.event_id for event in page.rows])
        page = page_of(user, wanted, after=page.older)

    while page.newer and way:
        page = page_of(user, wanted, before=page.newer)
        assert [event.event_id for event in page.rows] == way.pop()

    assert not way


@pytest.mark.parametrize("turn", ["after", "before"])
@pytest.mark.parametrize("cursor", ["!!!", "1", "0" * 40])
def test_a_cursor_of_another_kind_is_refused(auditor, turn, cursor):
    with pytest.raises(Invalid, match="cursor is not valid"):
        page_of(auditor, EVERYTHING, **{turn: cursor})


@pytest.mark.parametrize(
    "cursor",
    [
        "00000000-0000-0000-0000-000000000000",
        "f" * 32,
        "01a215e7-4b76-78d1-80cb-197b019e18e6",
    ],
)
def test_a_cursor_of_no_event_is_a_place(auditor, cursor):
    older = page_of(auditor, EVERYTHING, after=cursor)
    newer = page_of(auditor, EVERYTHING, before=cursor)

    shown = [event.event_id for page in (older, newer) for event in page.rows]
    assert len(shown) == AuditEvent.objects.count()


# What each filter takes of the long trail, and whether somebody has it at all.
OFFERED = {
    "everything": {},
    "person": {"person": "person of 7"},
    "person of nothing": {"person": str(uuid4())},
    "type": {"type": "approval.approved"},
    "type of nothing": {"type": "token.revoked"},
    "all of one resource": {"type": "approval.*"},
    "outcome": {"outcome": "denied"},
    "project": {"project": "project of 3"},
    "object by id": {"target": "object of 5"},
    "object by words": {"target": "program"},
    "request": {"request": "request-77"},
    "time": {"since": "2024-03-01", "until": "2024-03-02"},
    "frequent word": {"text": "agreed"},
    "rare word": {"text": "word77"},
    "word of long ago": {"text": "ancient"},
    "no word": {"text": "unheard"},
    "person and time": {"person": "person of 7", "until": "2024-06-01"},
    "type and time": {"type": "approval.approved", "until": "2024-06-01"},
    "project and time": {"project": "project of 3", "until": "2024-06-01"},
    "object and time": {"target": "object of 5", "until": "2024-06-01"},
    "outcome and time": {"outcome": "denied", "until": "2024-06-01"},
    "words and time": {"text": "word77", "until": "2024-06-01"},
    "person and type": {"person": "person of 7", "type": "approval.approved"},
    "project and words": {"project": "project of 3", "text": "word77"},
}


def asked_for(given: dict[str, str]) -> AuditFilter:
    """Put ids where the table above says `… of …`."""
    return AuditFilter(
        **{
            name: md5_uuid("".join(value.split(" of "))) if " of " in value else value
            for name, value in given.items()
        }
    )


def rows_examined(user, given: dict[str, str]) -> int:
    """Read a page; count the rows and index entries that its dearest statement met."""
    with CaptureQueriesContext(connection) as asked:
        page_of(user, asked_for(given))
    statements = [each["sql"] for each in asked if "audit_" in each["sql"]]
    assert statements
    return max(_examined(statement) for statement in statements)


def _examined(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement)
        [([plan],)] = cursor.fetchall()
    return sum(_met_by(node) for node in nodes_of(plan["Plan"]))


def _met_by(node: dict) -> int:
    if "Scan" not in node["Node Type"] or node.get("Index Name") == "audit_by_range":
        return 0  # the latter gives pages, and few
    kept_and_not = (
        "Actual Rows",
        "Rows Removed by Filter",
        "Rows Removed by Index Recheck",
    )
    return int(node["Actual Loops"] * sum(node.get(name, 0) for name in kept_and_not))


def nodes_of(plan: dict) -> list[dict]:
    below = [node for inner in plan.get("Plans", []) for node in nodes_of(inner)]
    return [plan, *below]


# The trail is long, so all filters are asked of one.
def test_no_filter_reads_much_of_the_trail(long_trail, auditor):
    found = {name: rows_examined(auditor, given) for name, given in OFFERED.items()}

    assert not {name: rows for name, rows in found.items() if rows > MOST_EXAMINED}


def test_no_reader_of_a_part_reads_much_of_the_trail(long_trail, world):
    found = {
        (reader, name): rows_examined(getattr(world, reader), OFFERED[name])
        for reader in ("program_manager", "outsider")
        for name in ("everything", "type", "rare word", "time")
    }

    assert not {each: rows for each, rows in found.items() if rows > MOST_EXAMINED}


def test_a_person_is_looked_for_through_an_index(world, auditor):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_disclosure SELECT md5(n::text), md5(n::text)::uuid, '', "
            "'Person Number' || n, now() FROM generate_series(1, 5000) AS n"
        )
        cursor.execute("ANALYZE audit_disclosure")
        with CaptureQueriesContext(connection) as asked:
            page_of(auditor, AuditFilter(person="petra prog"))
        [statement] = [each["sql"] for each in asked if "translate(" in each["sql"]]
        cursor.execute("EXPLAIN " + statement)
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "audit_disclosure_by_words" in plan


def test_a_count_is_exact_up_to_ten_thousand(long_trail, auditor, monkeypatch):
    monkeypatch.setattr(paging, "COUNTING_SECONDS", 60)  # however busy the machine

    some = count_of(auditor, asked_for({"type": "approval.approved"}))

    assert some == "2,000"
    assert count_of(auditor, EVERYTHING) == "more than 10,000"
    assert count_of(auditor, AuditFilter(text="unheard")) == "0"


def test_a_count_that_takes_long_is_given_up(world, auditor, monkeypatch):
    monkeypatch.setattr(paging, "COUNTING_SECONDS", 0.001)
    with connection.cursor() as cursor:
        cursor.execute(MANY, {"types": TYPES, "count": EVENTS})

    told = count_of(auditor, AuditFilter(text="agreed word1"))

    assert told == "more than can be counted quickly"
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_too_many_people_of_one_name_are_refused(world, auditor):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_disclosure SELECT md5(n::text), md5(n::text)::uuid, '', "
            "'Same Name', now() FROM generate_series(1, 51) AS n"
        )

    with pytest.raises(Invalid, match="More than 50 people match 'same'") as caught:
        page_of(auditor, AuditFilter(person="same"))

    assert caught.value.fields == {"person": "Too many people match."}


def test_pages_follow_one_another_without_a_gap(long_trail, auditor):
    wanted = AuditFilter(type="approval.*", since="2024-02-01", until="2024-08-01")
    events = matching(AuditEvent.objects.all(), wanted).order_by("-event_id")

    read = pages(auditor, wanted, lambda page: page.older)

    ids = [event for page in read for event in page]
    assert ids == list(events.values_list("event_id", flat=True))
    assert all(newer > older for newer, older in pairwise(ids))
