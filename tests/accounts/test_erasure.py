"""Erasing who somebody was: two people, one transaction, and proofs that still hold."""

import pytest
from axes.models import AccessAttempt, AccessFailureLog
from django.db import connection

from apps.accounts import actions, rules
from apps.accounts.actions.erasure import COMMITMENTS_PER_EVENT
from apps.accounts.models import ApiToken, ErasureRequest, ErasureStatus, User
from apps.approvals.models import SignOff
from apps.audit import actions as audit
from apps.audit.body import flaw_of
from apps.audit.models import AuditEvent, Disclosure, SavedFilter
from apps.audit.personal import ERASED, Personal, commitments_in
from apps.audit.queries import AuditFilter
from apps.audit.retention import actions as retention
from apps.core.errors import Invalid, Refused, WrongState
from apps.projects import actions as projects
from tests.factories import approvals, people
from tests.trail import FailedHalfWay, no_room_for_events, nothing_recorded, one_event

BASIS = "Article 17 (1) (b), request of 3 March"


@pytest.fixture
def second(world) -> User:
    """Another administrator."""
    return people.person(
        "second@agency.example", "Sec Ond", agency_roles=["administrator"]
    )


@pytest.fixture
def leaver(world) -> User:
    """Somebody who did things here, with an account that is closed."""
    person = people.person(
        "leaving@agency.example",
        "Lena Leaver",
        profile={"title": "Analyst", "organisation": "Bureau"},
    )
    actions.record_sign_in(address="192.0.2.77", by=person)
    actions.issue_token(name="Lena's laptop", scope="read", days=9, by=person)
    projects.add_member(
        project=world.project,
        person=person,
        role="developer",
        by=world.program_manager,
    )
    return actions.deactivate_person(person=person, by=world.administrator)


@pytest.fixture
def asked(leaver, administrator) -> ErasureRequest:
    return actions.request_erasure(person=leaver, legal_basis=BASIS, by=administrator)


def erased(asked, second) -> User:
    actions.approve_erasure(erasure=asked, password=people.PASSWORD, by=second)
    return User.objects.get(pk=asked.person_id)


def everything_in_the_database() -> str:
    """Gather every text of every table."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        texts = []
        for table in tables:
            cursor.execute(f"SELECT kept::text FROM {table} AS kept")  # noqa: S608
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


def test_request_erasure_asks_and_erases_nothing(leaver, administrator):
    with one_event("account.erasure_requested") as events:
        asked = actions.request_erasure(
            person=leaver, legal_basis=f" {BASIS} ", by=administrator
        )

    assert asked.is_waiting
    assert asked.legal_basis == BASIS
    assert events[0].reason == BASIS
    assert "Lena Leaver" in events[0].target_label


def test_approve_erasure_leaves_no_trace_of_the_name(world, asked, second):
    tried = {"ip_address": "::1", "failures_since_start": 1}
    AccessAttempt.objects.create(username="leaving@agency.example", **tried)
    AccessFailureLog.objects.create(username="LEAVING@agency.example", ip_address="::1")
    audit.record_view(what=AuditFilter(person="leaver").recorded, by=world.auditor)

    for query in ("person=Lena+Leaver", "person=leaving%40agency.example"):
        SavedFilter.objects.keep(owner=world.auditor, name=query[-9:], query=query)
    SavedFilter.objects.keep(owner=asked.person, name="mine", query="type=x")

    person = erased(asked, second)

    assert not SavedFilter.objects.exists()
    kept = everything_in_the_database().casefold()
    for trace in ("lena", "leaver", "leaving@", "192.0.2.77", "bureau", "analyst"):
        assert trace not in kept
    assert person.full_name.startswith("Former member ")
    assert person.email.endswith(".invalid")
    assert not person.has_usable_password()
    assert person.erased_at
    assert not ApiToken.objects.usable().filter(user=person).exists()


def test_approve_erasure_says_what_is_gone_and_on_which_ground(asked, second):
    gone = set(
        Disclosure.objects.filter(subject_id=asked.person_id).values_list(
            "commitment", flat=True
        )
    )

    with one_event("audit.redacted") as events:
        erased(asked, second)

    told = events[0].changes
    assert set(told["commitments"]) == gone
    assert told["count"] == len(gone)
    assert told["legal_basis"] == BASIS
    assert told["requested_by"] == asked.requested_by.label
    assert events[0].actor_id == second.pk
    assert str(asked.person_id) == events[0].target_id


def test_after_an_erasure_every_missing_text_is_explained(asked, second):
    erased(asked, second)

    events = list(AuditEvent.objects.all())
    named = set().union(*(commitments_in(event.facts) for event in events))
    known = set(Disclosure.objects.values_list("commitment", flat=True))
    redacted = {
        commitment
        for event in events
        if event.type == "audit.redacted"
        for commitment in event.changes["commitments"]
    }
    assert named - known <= redacted
    assert not known & redacted
    assert all(flaw_of(event) == "" for event in events)


def test_pages_show_erased_where_the_name_stood(asked, second, auditor, client_of):
    erased(asked, second)

    page = client_of(auditor).get("/audit/", {"person": str(asked.person_id)})

    html = page.content.decode()
    assert ERASED in html
    assert "Lena" not in html


def test_an_erasure_that_does_not_fit_one_event_takes_several(asked, second):
    texts = {
        Personal(asked.person_id, f"10.0.{n >> 8}.{n & 255}")
        for n in range(COMMITMENTS_PER_EVENT)
    }
    Disclosure.objects.committed(texts)

    erased(asked, second)

    told = AuditEvent.objects.filter(type="audit.redacted").order_by("pk")
    assert len(told[0].changes["commitments"]) == COMMITMENTS_PER_EVENT
    assert len(told) == 2
    assert not any(event.payload for event in told)
    assert {event.changes["count"] for event in told} == {
        sum(len(event.changes["commitments"]) for event in told)
    }


@pytest.mark.parametrize("who", ["requester", "auditor", "person"])
def test_approve_erasure_takes_a_second_administrator(asked, world, administrator, who):
    by = {
        "requester": administrator,
        "auditor": world.auditor,
        "person": asked.person,
    }[who]

    with nothing_recorded(), pytest.raises(Refused):
        actions.approve_erasure(erasure=asked, password=people.PASSWORD, by=by)

    assert User.objects.get(pk=asked.person_id).full_name == "Lena Leaver"


def test_approve_erasure_takes_the_password(asked, second):
    with pytest.raises(actions.WrongPassword):
        actions.approve_erasure(erasure=asked, password="guess", by=second)

    asked.refresh_from_db()
    assert asked.is_waiting


def test_approve_erasure_happens_once(asked, second, administrator):
    erased(asked, second)

    with nothing_recorded(), pytest.raises(WrongState, match="decided already"):
        actions.approve_erasure(erasure=asked, password=people.PASSWORD, by=second)
    with nothing_recorded(), pytest.raises(WrongState, match="erased already"):
        actions.request_erasure(
            person=asked.person, legal_basis=BASIS, by=administrator
        )


def test_a_failure_half_way_erases_nothing(asked, second):
    with no_room_for_events(), pytest.raises(FailedHalfWay):
        actions.approve_erasure(erasure=asked, password=people.PASSWORD, by=second)

    assert User.objects.get(pk=asked.person_id).full_name == "Lena Leaver"
    assert Disclosure.objects.filter(subject_id=asked.person_id).exists()
    asked.refresh_from_db()
    assert asked.is_waiting


def test_withdraw_erasure_keeps_the_person(asked, second, administrator):
    with one_event("account.erasure_withdrawn"):
        closed = actions.withdraw_erasure(erasure=asked, by=second)

    assert closed.status == ErasureStatus.WITHDRAWN
    with nothing_recorded(), pytest.raises(WrongState):
        actions.approve_erasure(erasure=asked, password=people.PASSWORD, by=second)
    again = actions.request_erasure(
        person=asked.person, legal_basis=BASIS, by=administrator
    )
    assert again.is_waiting


def test_request_erasure_is_asked_for_once(asked, second):
    with nothing_recorded(), pytest.raises(WrongState, match="asked for already"):
        actions.request_erasure(person=asked.person, legal_basis=BASIS, by=second)


@pytest.mark.parametrize("basis", ["", "  ", "x" * 2001, "a\0b"])
def test_request_erasure_takes_a_legal_basis(leaver, administrator, basis):
    with nothing_recorded(), pytest.raises(Invalid):
        actions.request_erasure(person=leaver, legal_basis=basis, by=administrator)


def test_request_erasure_refuses_who_still_works_here(
    world, administrator, worker, auditor
):
    reasons = {
        person: rules.can_request_erasure(by, person).reason
        for by, person in (
            (administrator, world.developer),
            (administrator, worker),
            (administrator, administrator),
            (auditor, world.developer),
        )
    }

    assert reasons == {
        world.developer: "Only an administrator can do this.",
        worker: "Service accounts are nobody, so there is nothing to erase.",
        administrator: "You cannot ask for this yourself; ask another administrator.",
    }
    with nothing_recorded(), pytest.raises(WrongState, match="Close the account"):
        actions.request_erasure(
            person=world.developer, legal_basis=BASIS, by=administrator
        )


@pytest.mark.parametrize("kind", ["trail", "person", "object"])
def test_a_legal_hold_keeps_the_person(asked, second, auditor, kind):
    covered = {
        "trail": {},
        "person": {"subject_id": asked.person_id},
        "object": {"object_id": str(asked.person_id)},
    }[kind]
    hold = retention.place_hold(kind=kind, reason="Case 7", by=auditor, **covered)

    with nothing_recorded(), pytest.raises(WrongState, match="legal hold"):
        actions.approve_erasure(erasure=asked, password=people.PASSWORD, by=second)

    retention.lift_hold(hold=hold, reason="Closed", by=auditor)
    assert erased(asked, second).erased_at


def test_a_hold_on_others_does_not(asked, second, auditor, world):
    retention.place_hold(
        kind="person", reason="Case 7", subject_id=world.developer.pk, by=auditor
    )

    assert erased(asked, second).erased_at


def test_a_signature_in_force_keeps_the_name(world, administrator):
    approvals.approved(world)
    signer = world.validator
    actions.deactivate_person(person=signer, by=administrator)

    with nothing_recorded(), pytest.raises(WrongState, match="is in force"):
        actions.request_erasure(person=signer, legal_basis=BASIS, by=administrator)


def test_a_signature_that_is_history_stays_without_the_name(
    world, administrator, second
):
    approval = approvals.approved(world)
    approval.version.aliases.all().delete()  # as when another becomes champion
    actions.deactivate_person(person=world.validator, by=administrator)
    asked = actions.request_erasure(
        person=world.validator, legal_basis=BASIS, by=administrator
    )

    person = erased(asked, second)

    given = SignOff.objects.get(signer=person)
    assert given.signer_name == person.full_name
    assert (given.signer_title, given.signer_organisation) == ("", "")
    assert given.evidence_digest == approval.evidence_digest


def test_nothing_changes_at_an_erased_account(asked, second, administrator):
    person = erased(asked, second)

    with nothing_recorded(), pytest.raises(WrongState, match="Nothing is known"):
        actions.edit_person(
            person=person, profile={"full_name": "Lena"}, by=administrator
        )
    with nothing_recorded(), pytest.raises(WrongState):
        actions.set_agency_roles(person=person, agency_roles=[], by=administrator)


def test_the_page_explains_who_decides(asked, administrator, second, client_of):
    address = asked.get_absolute_url()

    own = client_of(administrator).get(address).content.decode()
    other = client_of(second).get(address).content.decode()

    assert "You asked for this, so another administrator must approve it." in own
    assert "You asked for this" not in other
    assert BASIS in other


def test_a_wrong_password_is_said_beside_the_field(asked, second, client_of):
    answer = client_of(second).post(
        f"{asked.get_absolute_url()}approve/", {"password": "guess"}
    )

    assert answer.status_code == 422
    assert "The password is not right" in answer.content.decode()
    assert AuditEvent.objects.latest("pk").type == "access.refused"


def test_the_form_wants_a_legal_basis(leaver, administrator, client_of):
    browser = client_of(administrator)
    address = f"/people/{leaver.pk}/request-erasure/"

    assert browser.get(address).status_code == 200
    assert browser.post(address, {"legal_basis": ""}).status_code == 422
    assert browser.post(address, {"legal_basis": BASIS}).status_code == 302


def test_lists_show_what_is_asked_for(asked, administrator, client_of, api_of):
    html = client_of(administrator).get("/erasures/").content.decode()
    listed = api_of(administrator).get("/api/v1/erasures").json()["results"]

    assert "Lena Leaver" in html
    assert [one["id"] for one in listed] == [str(asked.pk)]


def test_the_people_page_shows_who_is_erased(asked, second, client_of):
    person = erased(asked, second)
    browser = client_of(second)

    assert "Erased" in browser.get("/people/").content.decode()
    page = browser.get(person.get_absolute_url()).content.decode()
    assert "This person is erased already." in page
