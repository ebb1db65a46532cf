import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import QueryDict

from apps.accounts import actions as accounts
from apps.audit.models import AuditEvent
from apps.projects import actions as projects
from tests.costs import queries_of
from tests.factories import projects as project_factory
from tests.trail import one_event

SCRIPT = "\"><script>alert('x')</script>"
FILTERS = ("person", "type", "project", "target", "since", "until", "text", "request")


@pytest.fixture
def auditors(auditor, client_of):
    """The browser of an auditor."""
    return client_of(auditor)


def text_of(answer) -> str:
    return b"".join(answer.streaming_content).decode()


def test_list_shows_what_happened(auditors):
    page = auditors.get("/audit/")

    assert page.status_code == 200
    assert "Petra Program" in page.content.decode()
    assert "<html" in page.content.decode()


def test_list_answers_htmx_with_the_events_alone(auditors):
    part = auditors.get("/audit/", {"person": "petra"}, headers={"HX-Request": "true"})

    assert part.status_code == 200
    assert "<html" not in part.content.decode()
    assert 'id="events"' in part.content.decode()


def test_list_keeps_the_selection_when_it_exports(auditors):
    page = auditors.get("/audit/", {"person": "petra"}).content.decode()

    [link] = re.findall(r'href="(/audit/exports/create/\?person[^"]*)"', page)
    assert QueryDict(urlsplit(unescape(link)).query).dict() == {"person": "petra"}


def test_list_says_that_nothing_matches(auditors):
    page = auditors.get("/audit/", {"person": "nobody at all"})

    assert page.status_code == 200
    assert page.context["page"].rows == []


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize(
    "query",
    [
        {"since": "soon"},
        {"until": "2020-02-30"},
        {"type": "coffee.made"},
        {"after": "!!!"},
    ],
)
def test_list_says_what_is_wrong_with_a_filter(auditors, query, headers):
    page = auditors.get("/audit/", query, headers=headers)

    assert page.status_code == 422
    assert page.context["fault"].message.replace("'", "&#x27;") in (
        page.content.decode()
    )


@pytest.mark.parametrize("name", FILTERS)
def test_script_in_a_filter_is_escaped(auditors, name):
    page = auditors.get("/audit/", {name: SCRIPT})

    assert "<script>alert" not in page.content.decode()


def test_script_in_an_event_is_escaped(auditors, project, program_manager):
    projects.edit_project(
        project=project,
        values={"name": SCRIPT, "mission": SCRIPT},
        by=program_manager,
    )
    event = AuditEvent.objects.latest("pk")

    for address in ("/audit/", f"/audit/events/{event.event_id}/"):
        page = auditors.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_list_is_paged(auditors, validator):
    for _ in range(60):
        accounts.record_sign_in(address="192.0.2.1", by=validator)

    first = auditors.get("/audit/")
    [after] = set(re.findall(r"after=([\w-]+)", first.content.decode()))
    second = auditors.get("/audit/", {"after": after})

    seen = [event.pk for page in (first, second) for event in page.context["page"].rows]
    assert len(first.context["page"].rows) == 50
    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen, reverse=True)


def test_list_costs_the_same_with_many_rows(auditors, validator):
    few = queries_of(auditors, "/audit/")
    for _ in range(30):
        accounts.record_sign_in(address="192.0.2.1", by=validator)

    many = queries_of(auditors, "/audit/")

    assert many == few


def test_list_shows_outsiders_only_what_they_did(outsider, client_of):
    accounts.record_sign_in(address="192.0.2.1", by=outsider)

    page = client_of(outsider).get("/audit/")

    assert [event.type for event in page.context["page"].rows] == ["account.signed_in"]
    assert "Only an auditor or a program manager" in page.content.decode()


def test_event_shows_every_detail(auditors):
    event = AuditEvent.objects.filter(type="member.added").first()

    page = auditors.get(f"/audit/events/{event.event_id}/").content.decode()

    assert str(event.event_id) in page
    assert "added a member to" in page
    assert "program_manager" in page


def test_event_of_a_project_that_i_do_not_see_is_not_there(program_manager, client_of):
    other = project_factory.project("other")
    event = AuditEvent.objects.get(target_id=str(other.pk))

    answer = client_of(program_manager).get(f"/audit/events/{event.event_id}/")

    assert answer.status_code == 404


@pytest.mark.parametrize("pk", ["0", "01a21599-8585-752c-8c76-aeb41630008b"])
def test_event_that_does_not_exist_is_not_there(auditors, pk):
    assert auditors.get(f"/audit/events/{pk}/").status_code == 404


def test_who_reads_the_trail_is_recorded(auditors, auditor):
    with one_event("audit.viewed") as events:
        auditors.get("/audit/", {"person": "Vera", "outcome": "success"})

    assert events[0].actor_id == auditor.pk
    assert events[0].changes == {"person": "Vera", "outcome": "success"}
    assert "Vera" not in events[0].body


def test_who_reads_one_event_is_recorded(auditors):
    event = AuditEvent.objects.latest("pk")

    with one_event("audit.viewed") as events:
        auditors.get(event.get_absolute_url())

    assert events[0].changes == {"event": str(event.event_id)}


@pytest.mark.parametrize("body", ["{}", "[1]", "not json", '{"actor": 1}'])
def test_an_event_whose_text_was_destroyed_is_still_shown(auditors, body):
    event = AuditEvent.objects.filter(type="member.added").first()
    with connection.cursor() as superuser:
        superuser.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        superuser.execute(
            "UPDATE audit_auditevent SET body = %s WHERE id = %s", [body, event.pk]
        )

    for address in ("/audit/", event.get_absolute_url()):
        assert "cannot be read" in auditors.get(address).content.decode()
