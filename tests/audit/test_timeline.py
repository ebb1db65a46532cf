"""The life of one object, as a person may read it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import actions as accounts
from apps.audit import actions as audit
from apps.audit import timeline
from apps.audit.models import AuditEvent
from apps.audit.timeline import life_of
from apps.core.context import WorkContext, working
from apps.core.errors import Invalid
from apps.projects import actions as projects
from tests.factories import approvals, registry


def life(user, thing, **kwargs):
    return life_of(user, thing._meta.label_lower, str(thing.pk), **kwargs)


def steps_of(found) -> list:
    return [step for _, steps in found.days for step in steps]


def types_of(found) -> list[str]:
    return [step.event.type for step in steps_of(found)]


def test_a_life_begins_with_its_beginning(world, auditor):
    found = life(auditor, world.project)

    assert types_of(found) == [
        "project.created",
        "project.objective_stated",
        *["member.added"] * 4,
    ]
    assert found.newest.target_label == "Inspection"
    assert not found.later
    assert not found.is_person


def test_days_hold_their_events(world, auditor):
    [(day, steps)] = life(auditor, world.project).days

    assert {step.event.at.date() for step in steps} == {day}


def test_a_life_is_paged_from_its_beginning(world, auditor, monkeypatch):
    monkeypatch.setattr(timeline, "ROWS", 2)
    monkeypatch.setattr("apps.audit.paging.ROWS", 2)
    seen, after = [], ""
    for _ in range(3):
        found = life(auditor, world.project, after=after)
        seen += types_of(found)
        after = found.later

    assert seen == types_of_whole(auditor, world.project, monkeypatch)
    assert not after


def types_of_whole(user, thing, monkeypatch) -> list[str]:
    monkeypatch.undo()
    return types_of(life(user, thing))


def test_a_cursor_of_another_kind_is_refused(world, auditor):
    with pytest.raises(Invalid, match="cursor"):
        life(auditor, world.project, after="!!")


def test_what_names_an_object_elsewhere_is_told_apart(world, auditor):
    version = registry.model_version(world.project, world.data_scientist, "risk")
    version = approvals.validated_version(world, "other")
    approvals.request(world, version)

    found = life(auditor, version)
    alone = life(auditor, version, with_mentions=False)

    asked = [step for step in steps_of(found) if step.event.type.startswith("approval")]
    assert [step.is_own for step in asked] == [False]
    assert all(step.is_own for step in steps_of(alone))
    assert {"model.version_registered", "model.version_moved"} <= set(types_of(alone))
    assert "risk" not in {step.event.target_label for step in steps_of(found)}


def test_a_name_of_other_words_in_between_is_no_mention(world, auditor):
    first = registry.model_version(world.project, world.data_scientist, "first")
    registry.model_version(world.project, world.data_scientist, "second")

    found = life(auditor, first)

    labels = {step.event.target_label for step in steps_of(found)}
    assert not [label for label in labels if "second" in label]


def test_a_person_has_done_things_and_had_things_done(world, auditor):
    accounts.set_agency_roles(
        person=world.developer, agency_roles=["auditor"], by=world.administrator
    )
    accounts.record_sign_in(address="192.0.2.1", by=world.developer)

    found = life(auditor, world.developer)

    assert found.is_person
    assert types_of(found) == [
        "account.created",
        "member.added",
        "account.roles_set",
        "account.signed_in",
    ]
    assert [step.is_own for step in steps_of(found)] == [True, False, True, True]


def test_looks_at_a_life_are_no_part_of_it(world, auditor):
    audit.record_view(what={"object": str(world.project.pk)}, by=auditor)

    assert "audit.viewed" not in types_of(life(auditor, world.project))


def test_what_happened_in_the_same_request_is_beside_it(world, auditor):
    with working(WorkContext(request_id="one", channel="web")):
        projects.edit_project(
            project=world.project, values={"name": "New"}, by=world.program_manager
        )
        accounts.record_sign_in(address="192.0.2.1", by=world.program_manager)

    last = steps_of(life(auditor, world.project))[-1]

    assert last.event.type == "project.edited"
    assert [event.type for event in last.related] == ["account.signed_in"]


def test_a_reader_of_other_projects_finds_nothing(world, outsider):
    assert life(outsider, world.project) is None


def test_nothing_tells_of_what_never_was(world, auditor):
    assert life_of(auditor, "projects.project", "no such id") is None


def test_a_long_life_costs_as_many_queries(world, auditor):
    with CaptureQueriesContext(connection) as few:
        life(auditor, world.project)
    for number in range(20):
        projects.edit_project(
            project=world.project,
            values={"name": f"Inspection {number}"},
            by=world.program_manager,
        )
    with CaptureQueriesContext(connection) as many:
        life(auditor, world.project)

    assert len(many) == len(few)
    assert AuditEvent.objects.filter(type="project.edited").count() == 20
