"""The auditor's desk: filters, counts, people, saved filters, histories, standing."""

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict

from apps.accounts import actions as accounts
from apps.audit import paging
from apps.audit.models import AuditEvent, Checkpoint, SavedFilter
from apps.audit.verifier import auditverify
from apps.projects import actions as projects
from tests.audit.sealing import sealer_in
from tests.costs import queries_of
from tests.factories import people as people_factory
from tests.factories import projects as project_factory
from tests.trail import nothing_recorded, one_event

SCRIPT = "\"><script>alert('x')</script>"


@pytest.fixture
def auditors(auditor, client_of):
    """The browser of an auditor."""
    return client_of(auditor)


def text_of(page) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())


def address_of(thing) -> str:
    return f"/audit/objects/{thing._meta.label_lower}/{thing.pk}/"


def test_the_form_shows_the_filter_it_was_sent(auditors, project):
    query = {
        "text": "find damage",
        "person": "petra",
        "type": "project.*",
        "outcome": "success",
        "period": "7d",
        "since": "2026-01-31T12:00:00Z",
        "project": str(project.pk),
    }

    page = auditors.get("/audit/", query).content.decode()

    assert 'value="find damage"' in page
    assert re.search(r'value="project\.\*"\s+selected', page)
    assert re.search(r'value="success"\s+selected', page)
    assert re.search(r'value="7d"\s+selected', page)
    assert re.search(rf'value="{project.pk}"\s+selected>Inspection<', page)
    assert 'value="2026-01-31"' in page


def test_each_part_of_a_filter_can_be_taken_away(auditors, project):
    page = auditors.get("/audit/", {"type": "project.*", "project": str(project.pk)})

    parts = {chip.name: (chip.value, chip.without) for chip in page.context["chips"]}
    assert parts == {
        "What": ("project.*", f"project={project.pk}"),
        "Project": ("Inspection", "type=project.%2A"),
    }


def test_a_project_that_is_not_on_the_list_stays_chosen(auditors):
    page = auditors.get("/audit/", {"project": "inspection"}).content.decode()

    assert '<option value="inspection" selected>' in page


def test_projects_are_those_of_the_reader(world, client_of):
    other = project_factory.project("other")

    mine = client_of(world.validator).get("/audit/").context["projects"]
    all_of_them = client_of(world.auditor).get("/audit/").context["projects"]

    assert dict(mine) == {str(world.project.pk): "Inspection"}
    assert dict(all_of_them) == {**dict(mine), str(other.pk): "Other"}


def test_a_project_bears_its_newest_name(world, auditors):
    projects.edit_project(
        project=world.project, values={"name": "Renamed"}, by=world.program_manager
    )

    assert "Renamed" in dict(auditors.get("/audit/").context["projects"]).values()


def test_pages_turn_both_ways(auditors, validator, monkeypatch):
    for _ in range(60):
        accounts.record_sign_in(address="192.0.2.1", by=validator)
    wanted = {"type": "account.signed_in", "person": str(validator.pk)}

    first = auditors.get("/audit/", wanted)
    second = auditors.get("/audit/", {**wanted, **turned(first, "after")})
    back = auditors.get("/audit/", {**wanted, **turned(second, "before")})

    assert back.context["page"].rows == first.context["page"].rows
    assert not turned(first, "before")
    assert not turned(second, "after")


def turned(page, way: str) -> dict[str, str]:
    links = re.findall(rf'href="([^"]*\b{way}=[^"]*)"', page.content.decode())
    queries = [QueryDict(urlsplit(unescape(link)).query) for link in links]
    return {way: queries[0][way]} if queries else {}


def test_one_page_counts_itself_and_others_are_counted_apart(
    auditors, validator, monkeypatch
):
    monkeypatch.setattr(paging, "COUNTING_SECONDS", 60)
    for _ in range(60):
        accounts.record_sign_in(address="192.0.2.1", by=validator)
    signed_in = {"type": "account.signed_in", "person": str(validator.pk)}

    short = auditors.get("/audit/", {"type": "project.created"})
    long = auditors.get("/audit/", signed_in)
    with nothing_recorded():
        page = auditors.get("/audit/count/", signed_in)
        count = auditors.get("/audit/count/", signed_in, headers={"HX-Request": "true"})

    assert "1 event" in text_of(short)
    assert 'hx-get="/audit/count/?' in long.content.decode()
    assert text_of(count) == "60 events"
    assert "60 events with who" in text_of(page)


def test_a_count_of_a_filter_with_a_fault_says_so(auditors):
    answer = auditors.get("/audit/count/", {"since": "soon"})

    assert answer.status_code == 422


def test_an_empty_list_says_what_to_do(auditors):
    page = text_of(auditors.get("/audit/", {"text": "unheard"}))

    assert "Take a part of the filter away" in page
    assert "Show everything" in page


def test_who_looks_for_a_word_does_not_find_the_looking(auditors):
    for _ in range(2):
        page = auditors.get("/audit/", {"text": "unheard"})

    assert page.context["page"].rows == []
    assert AuditEvent.objects.filter(type="audit.viewed").count() == 2


def test_what_is_not_sealed_yet_is_marked(auditors, world):
    page = text_of(auditors.get("/audit/", {"type": "project.created"}))

    assert "Not sealed yet" in page


@pytest.mark.django_db(transaction=True)
def test_an_event_says_where_it_is_sealed(world, auditors, tmp_path):
    sealer_in(tmp_path).seal()
    event = AuditEvent.objects.get(type="project.created")

    page = auditors.get(f"/audit/events/{event.event_id}/")
    table = auditors.get("/audit/", {"type": "project.created"})

    seal = Checkpoint.objects.get()
    assert page.context["event"].place == event.leaf.leaf_index
    assert f"Sealed in checkpoint {seal.size}," in text_of(page)
    assert "Not sealed yet" not in text_of(page) + text_of(table)


def test_an_event_shows_the_text_that_is_sealed(auditors):
    event = AuditEvent.objects.filter(type="member.added").first()

    page = auditors.get(f"/audit/events/{event.event_id}/")

    assert event.body in unescape(page.content.decode())
    assert "in the browser" not in text_of(page)
    assert "On the command line" in text_of(page)


@pytest.mark.parametrize(
    ("reader", "text", "found"),
    [
        ("auditor", "vera", ["Vera Validator <validator@agency.example>"]),
        ("auditor", "OUTSIDER@", ["Otto Outsider <outsider@agency.example>"]),
        ("validator", "vera", ["Vera Validator <validator@agency.example>"]),
        ("validator", "outsider", []),
        ("developer", "vera", []),
        ("outsider", "otto", ["Otto Outsider <outsider@agency.example>"]),
        ("auditor", "nobody", []),
    ],
)
def test_people_are_proposed_to_who_may_read_of_them(
    world, client_of, reader, text, found
):
    answer = client_of(getattr(world, reader)).get("/audit/people/", {"person": text})

    assert answer.context["people"] == found


def test_a_name_cannot_leave_its_proposal(auditors, administrator):
    people_factory.person("script@agency.example", SCRIPT)

    answer = auditors.get("/audit/people/", {"person": "script"})

    assert "<script>" not in answer.content.decode()


def test_save_filter_keeps_it_and_leads_back(auditors, auditor):
    with nothing_recorded():
        answer = auditors.post(
            "/audit/filters/save/",
            {"name": "Approvals", "query": "type=approval.*&after=x&period=30d"},
        )

    assert answer.url == "/audit/?type=approval.%2A&period=30d"
    [kept] = SavedFilter.objects.all()
    assert (kept.owner_id, kept.name) == (auditor.pk, "Approvals")
    assert kept.query == "type=approval.%2A&period=30d"
    assert "Approvals" in text_of(auditors.get("/audit/"))


def test_save_filter_replaces_one_of_the_same_name(auditors):
    for query in ("text=one", "text=two"):
        auditors.post("/audit/filters/save/", {"name": "Mine", "query": query})

    assert [kept.query for kept in SavedFilter.objects.all()] == ["text=two"]


@pytest.mark.parametrize(
    "data",
    [
        {"name": "", "query": "text=x"},
        {"name": "x" * 81, "query": "text=x"},
        {"name": "Nothing", "query": ""},
        {"name": "Unknown", "query": "colour=red"},
        {"name": "Long", "query": "text=" + "x" * 2001},
    ],
)
def test_save_filter_says_what_is_wrong(auditors, data):
    answer = auditors.post("/audit/filters/save/", data)

    assert answer.status_code == 422
    assert not SavedFilter.objects.exists()


def test_saved_filters_are_nobody_elses(world, client_of):
    kept = SavedFilter.objects.keep(owner=world.auditor, name="Mine", query="text=x")
    other = client_of(world.ai_official)

    answer = other.post(f"/audit/filters/{kept.pk}/delete/")

    assert answer.status_code == 404
    assert "Mine" not in text_of(other.get("/audit/"))


def test_delete_filter_forgets_it(auditors, auditor):
    kept = SavedFilter.objects.keep(owner=auditor, name="Mine", query="text=x")

    answer = auditors.post(f"/audit/filters/{kept.pk}/delete/")

    assert answer.url == "/audit/"
    assert not SavedFilter.objects.exists()


def test_timeline_tells_a_life_in_sentences(auditors, world):
    with one_event("audit.viewed") as events:
        page = auditors.get(address_of(world.project))

    story = text_of(page)
    assert "Petra Program created project Inspection" in story
    assert "as Program manager · on the command line" in story
    assert events[0].changes == {"object": f"projects.project {world.project.pk}"}


def test_timeline_shows_long_texts_side_by_side(auditors, world):
    mission = "Send crews to the aircraft that need them before the next flight. " * 3
    for text in (mission, mission.replace("crews", "two crews")):
        projects.edit_project(
            project=world.project, values={"mission": text}, by=world.program_manager
        )

    page = auditors.get(address_of(world.project)).content.decode()

    assert page.count('class="sides__label">Before') == 2
    assert "<ins>two</ins>" in page


def test_timeline_escapes_what_people_write(auditors, world):
    projects.edit_project(
        project=world.project,
        values={"name": SCRIPT, "mission": SCRIPT * 5},
        by=world.program_manager,
    )

    page = auditors.get(address_of(world.project)).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("kind", ["projects.project", "accounts.user", "no.such"])
@pytest.mark.parametrize("key", ["x", "01a21599-8585-752c-8c76-aeb41630008b"])
def test_timeline_of_nothing_is_not_there(auditors, kind, key):
    assert auditors.get(f"/audit/objects/{kind}/{key}/").status_code == 404


def test_timeline_costs_the_same_with_many_events(auditors, world):
    few = queries_of(auditors, address_of(world.project))
    for number in range(20):
        projects.edit_project(
            project=world.project,
            values={"name": f"Inspection {number}"},
            by=world.program_manager,
        )

    assert queries_of(auditors, address_of(world.project)) == few


def test_standing_answers_who_could(auditors, world):
    query = {"permission": "approval.sign_off", "project": str(world.project.pk)}

    with one_event("audit.viewed") as events:
        page = auditors.get("/audit/standing/", query)

    assert {one.person_label.partition(" ")[0] for one in page.context["holdings"]} == {
        "Oscar",
        "Petra",
        "Vera",
    }
    assert "Who could sign off an approval request on" in text_of(page)
    assert events[0].changes["who_could"]["permission"] == "approval.sign_off"


def test_standing_answers_what_a_person_could(auditors, world):
    with one_event("audit.viewed") as events:
        page = auditors.get("/audit/standing/", {"person": "vera"})

    assert "Vera Validator <validator@agency.example>: Validator" in text_of(page)
    assert "Sign off an approval request" in text_of(page)
    assert events[0].changes["what_could"]["person"] == "vera"
    assert "vera" not in events[0].body


def test_standing_of_long_ago_is_empty(auditors):
    query = {"permission": "project.read", "at": "2020-01-01T00:00"}

    page = auditors.get("/audit/standing/", query)

    assert page.context["holdings"] == []
    assert "Nobody" in text_of(page)


@pytest.mark.parametrize(
    "query",
    [
        {"permission": "coffee.make"},
        {"permission": ""},
        {"permission": "project.read", "at": "soon"},
        {"permission": "project.read", "project": "x"},
        {"person": ""},
        {"person": "x", "at": "9999-99-99"},
    ],
)
def test_standing_says_what_is_wrong(auditors, query):
    with nothing_recorded():
        answer = auditors.get("/audit/standing/", query)

    assert answer.status_code == 422


def test_standing_refuses_who_reads_a_part(program_manager, client_of):
    answer = client_of(program_manager).get("/audit/standing/")

    assert answer.status_code == 403
    assert "Only who reads the whole audit trail" in text_of(answer)


def test_verify_explains_every_answer_of_the_verifier(auditors):
    page = text_of(auditors.get("/audit/verify/"))

    for code, verdict in auditverify.VERDICTS.items():
        assert f"{code} {verdict}" in page
    assert "2 usage error" in page
    assert "Windows" in page


@pytest.mark.parametrize("reader", ["validator", "developer"])
def test_a_project_leads_to_its_history_where_one_may_read_it(world, client_of, reader):
    page = client_of(getattr(world, reader)).get(f"/projects/{world.project.slug}/")

    leads = address_of(world.project) in page.content.decode()
    assert leads == (reader == "validator")
