"""Findings tell their people what waits for them, in their transaction and in time."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.actions import service_account
from apps.core.errors import Invalid, Refused, WrongState
from apps.notices.models import Notice, NoticeKind
from apps.projects.actions import add_member, remove_member, restrict
from apps.validation import actions
from apps.validation.models import Finding
from apps.validation.tasks import remind_of_findings
from tests.costs import queries_of
from tests.factories import people, registry
from tests.factories import validation as factory
from tests.trail import nothing_recorded, one_event

INBOX = reverse("home:inbox")


@pytest.fixture
def version(world):
    return registry.model_version(world.project, world.data_scientist)


@pytest.fixture
def found(world, version) -> Finding:
    return factory.finding(version, world.validator, world.data_scientist)


@pytest.fixture
def second_validator(world):
    person = people.person("second@agency.example", "Second Validator")
    add_member(
        project=world.project, person=person, role="validator", by=world.program_manager
    )
    return person


def told(kind: NoticeKind) -> list[str]:
    """Names of the accounts that were told, one for each notice."""
    found = Notice.objects.filter(kind=kind).order_by("recipient__email")
    return [notice.recipient.email.partition("@")[0] for notice in found]


def answered(finding, by) -> Finding:
    return actions.answer_finding(finding=finding, answer="More hawks.", by=by)


def test_the_owner_is_told_and_led_to_the_finding(world, version, client_of):
    found = factory.finding(
        version, world.validator, world.data_scientist, due_on=timezone.localdate()
    )

    [notice] = Notice.objects.filter(kind=NoticeKind.FINDING_RAISED)

    assert notice.recipient == world.data_scientist
    assert notice.sentence == (
        "High finding 1 on inspection/damage version 1 is yours to answer until "
        f"{timezone.localdate():%-d %B %Y}."
    )
    opened = client_of(world.data_scientist).get(
        reverse("notices:open_notice", args=[notice.pk])
    )
    assert opened["Location"] == found.get_absolute_url()


def test_the_raiser_is_told_of_the_answer_and_the_owner_of_what_follows(world, found):
    answered(found, world.data_scientist)
    assert told(NoticeKind.FINDING_ANSWERED) == ["validator"]

    actions.reopen_finding(finding=found, closing="Still misses.", by=world.validator)
    assert told(NoticeKind.FINDING_REOPENED) == ["data_scientist"]

    answered(found, world.data_scientist)
    actions.close_finding(finding=found, closing="Seen.", by=world.validator)
    assert told(NoticeKind.FINDING_CLOSED) == ["data_scientist"]


def test_owner_and_raiser_are_told_of_an_accepted_risk(world, found):
    actions.accept_finding(finding=found, closing="Rare.", by=world.program_manager)

    assert told(NoticeKind.FINDING_ACCEPTED) == ["data_scientist", "validator"]


def test_others_are_told_of_the_answer_when_the_raiser_has_left(
    world, found, second_validator
):
    membership = world.project.memberships.get(user=world.validator)
    remove_member(membership=membership, by=world.program_manager)

    answered(found, world.data_scientist)

    assert told(NoticeKind.FINDING_ANSWERED) == ["second"]


def test_nobody_is_told_of_a_model_that_is_hidden_from_them(world, found):
    assert found.raised_by == world.validator
    restrict(thing=found.version.model, by=world.program_manager)

    actions.accept_finding(finding=found, closing="Rare.", by=world.program_manager)

    # Who registered a model sees it still.
    assert told(NoticeKind.FINDING_ACCEPTED) == ["data_scientist"]


def test_what_fails_tells_nobody(world, version):
    with pytest.raises(Invalid):
        factory.finding(version, world.validator, world.data_scientist, text="")

    assert not Notice.objects.exists()


def raised(version, world, *, days_ago: int, due_in: int) -> Finding:
    due_on = timezone.localdate() + timedelta(days=due_in)
    found = factory.finding(
        version, world.validator, world.data_scientist, due_on=due_on
    )
    earlier = timezone.now() - timedelta(days=days_ago)
    Finding.objects.filter(pk=found.pk).update(raised_at=earlier)
    return found


def remind_twice() -> None:
    for _ in range(2):
        remind_of_findings()


@pytest.mark.parametrize(
    ("days_ago", "due_in", "soon", "late"),
    [(5, 3, 0, 0), (6, 2, 1, 0), (8, 0, 1, 0), (9, -1, 0, 1)],
)
def test_the_owner_is_reminded_once_and_the_raiser_when_it_is_late(
    world, version, days_ago, due_in, soon, late
):
    raised(version, world, days_ago=days_ago, due_in=due_in)

    remind_twice()

    assert told(NoticeKind.FINDING_DUE_SOON) == ["data_scientist"] * soon
    assert told(NoticeKind.FINDING_OVERDUE) == ["data_scientist", "validator"] * late


def test_an_answered_finding_reminds_who_can_close_it(world, version):
    found = raised(version, world, days_ago=9, due_in=-1)
    answered(found, world.data_scientist)

    remind_twice()

    [notice] = Notice.objects.filter(kind=NoticeKind.FINDING_OVERDUE)
    assert notice.recipient == world.validator
    assert notice.sentence.endswith("and waits to be closed or asked about again.")


def test_what_is_settled_or_has_no_day_reminds_nobody(world, version, found):
    late = raised(version, world, days_ago=9, due_in=-1)
    actions.close_finding(finding=late, closing="Seen.", by=world.validator)

    remind_twice()
    late.refresh_from_db()
    actions.remind_of_finding(finding=late, by=service_account())

    assert not told(NoticeKind.FINDING_OVERDUE)


def test_remind_of_finding_is_for_workers_only(world, found):
    with pytest.raises(Refused):
        actions.remind_of_finding(finding=found, by=world.program_manager)


def waiting(client) -> list[str]:
    return [str(each) for each in client.get(INBOX).context["inbox"].findings]


def test_the_inbox_shows_who_must_act_now(world, found, client_of, api_of):
    owner, raiser = client_of(world.data_scientist), client_of(world.validator)
    assert (waiting(owner), waiting(raiser)) == ([str(found)], [])
    assert "Answer it" in owner.get(INBOX).text
    [listed] = api_of(world.data_scientist).get(reverse("v1:inbox")).json()["findings"]
    assert listed["url"] == found.get_absolute_url()

    answered(found, world.data_scientist)
    assert (waiting(owner), waiting(raiser)) == ([], [str(found)])
    assert waiting(client_of(world.program_manager)) == []
    assert "Close it or ask again" in raiser.get("/").text

    actions.close_finding(finding=found, closing="Seen.", by=world.validator)
    assert (waiting(owner), waiting(raiser)) == ([], [])


def test_whoever_built_it_or_answers_has_nothing_to_close(
    world, version, second_validator, client_of
):
    own = factory.finding(version, world.validator, second_validator)
    answered(own, second_validator)
    membership = world.project.memberships.get(user=world.data_scientist)
    remove_member(membership=membership, by=world.program_manager)
    add_member(
        project=world.project,
        person=world.data_scientist,
        role="validator",
        by=world.program_manager,
    )

    assert waiting(client_of(second_validator)) == []
    assert waiting(client_of(world.data_scientist)) == []
    assert waiting(client_of(world.validator)) == [str(own)]


def test_the_cost_of_the_inbox_does_not_grow_with_findings(
    world, version, found, client_of
):
    client = client_of(world.data_scientist)
    few = queries_of(client, INBOX)
    for number in range(3):
        factory.finding(
            version, world.validator, world.data_scientist, title=f"More {number}"
        )

    assert queries_of(client, INBOX) == few


def test_another_owner_is_told_and_so_is_who_answered_until_now(
    world, found, client_of
):
    page = client_of(world.program_manager)
    assert "Give it another owner" in page.get(found.get_absolute_url()).text

    with one_event("finding.handed_over") as events:
        page.post(
            reverse("validation:hand_over_finding", args=[found.pk]),
            {"owner": str(world.developer.pk)},
        )

    assert events[0].changes["owner"] == [
        str(world.data_scientist.pk),
        str(world.developer.pk),
    ]
    told_as = {
        kind: told(kind)
        for kind in (NoticeKind.FINDING_RAISED, NoticeKind.FINDING_HANDED_OVER)
    }
    assert told_as == {
        NoticeKind.FINDING_RAISED: ["data_scientist", "developer"],
        NoticeKind.FINDING_HANDED_OVER: ["data_scientist", "validator"],
    }
    assert waiting(client_of(world.data_scientist)) == []
    assert waiting(client_of(world.developer)) == [str(found)]


def test_an_open_finding_is_handed_over_by_who_does_not_answer_for_it(
    world, version, second_validator
):
    found = factory.finding(version, world.validator, second_validator)
    with nothing_recorded():
        with pytest.raises(Refused, match="You answer for this finding"):
            actions.hand_over_finding(
                finding=found, owner=world.developer, by=second_validator
            )
        with pytest.raises(Refused, match="Only a validator or a program manager"):
            actions.hand_over_finding(
                finding=found, owner=world.developer, by=world.data_scientist
            )
        with pytest.raises(Invalid, match="no active member"):
            actions.hand_over_finding(
                finding=found, owner=world.outsider, by=world.validator
            )
    answered(found, second_validator)
    with pytest.raises(WrongState, match="Only an open finding"):
        actions.hand_over_finding(
            finding=found, owner=world.developer, by=world.validator
        )
