import pytest

from apps.core.errors import Invalid, Refused, WrongState
from apps.datasets import actions, queries
from apps.datasets.datasheet_fields import (
    DefinitionFaulty,
    definition,
    read_definition,
)
from apps.datasets.models import Datasheet, HintDecision, PersonalDataHint
from apps.projects.actions import access, determine_impact, remove_member
from tests.factories import datasets as factory
from tests.factories import datasheets
from tests.trail import FailedHalfWay, no_room_for_events, nothing_recorded, one_event


@pytest.fixture
def dataset(project, data_scientist):
    return factory.dataset(project, data_scientist)


def standing(dataset):
    dataset.refresh_from_db()
    return queries.datasheet_standing(dataset)


def missing(dataset) -> set[str]:
    return {field.slug for field in standing(dataset).missing}


def test_write_datasheet_keeps_what_changed(dataset, data_scientist):
    datasheets.datasheet(dataset, data_scientist, source="FAA")

    with one_event("dataset.datasheet_written") as events:
        second = datasheets.datasheet(dataset, data_scientist, source="FAA, 1990–2002")

    assert (second.number, second.changed) == (2, ["source"])
    assert events[0].changes == {"source": ["FAA", "FAA, 1990–2002"]}
    assert second.written_by == data_scientist


def test_write_datasheet_names_its_steward_by_a_commitment(dataset, data_scientist):
    with one_event("dataset.datasheet_written") as events:
        datasheets.datasheet(dataset, data_scientist)

    assert data_scientist.email not in events[0].body
    assert events[0].changes["steward"] == ["", data_scientist.label]


def test_write_datasheet_again_adds_nothing(dataset, data_scientist):
    first = datasheets.datasheet(dataset, data_scientist)

    with nothing_recorded():
        assert datasheets.datasheet(dataset, data_scientist) == first

    assert Datasheet.objects.count() == 1


def test_write_datasheet_fails_whole(dataset, data_scientist):
    with pytest.raises(FailedHalfWay), no_room_for_events():
        datasheets.datasheet(dataset, data_scientist)

    assert not Datasheet.objects.exists()


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({"source": "x" * 4001}, "source"),
        ({"source": "a\0b"}, "source"),
        ({"unknown": "x"}, "unknown"),
        ({"sensitivity": "secret"}, "sensitivity"),
    ],
)
def test_write_datasheet_refuses_what_does_not_fit(
    dataset, data_scientist, stated, field
):
    with nothing_recorded(), pytest.raises(Invalid) as caught:
        datasheets.datasheet(dataset, data_scientist, **stated)

    assert set(caught.value.fields) == {field}


def test_write_datasheet_takes_members_as_steward_only(
    dataset, data_scientist, outsider
):
    with nothing_recorded(), pytest.raises(Invalid, match="member of the project"):
        datasheets.datasheet(dataset, data_scientist, steward=outsider)


def test_the_steward_writes_the_datasheet_too(dataset, data_scientist, validator):
    with pytest.raises(Refused):
        datasheets.datasheet(dataset, validator)
    datasheets.datasheet(dataset, data_scientist, steward=validator)

    written = datasheets.datasheet(dataset, validator, source="Asked anew")

    assert written.number == 2


def test_more_is_required_of_a_high_impact_project(dataset, data_scientist, world):
    before = missing(dataset)

    determine_impact(
        project=dataset.project, impact="high", reason="Benefits", by=world.ai_official
    )

    assert before == {"source", "steward", "licence", "sensitivity", "intended_use"}
    assert missing(dataset) - before == {
        "collection",
        "update_rhythm",
        "authority",
        "retention",
        "known_bias",
    }
    datasheets.datasheet(dataset, data_scientist)
    assert standing(dataset).is_complete
    assert standing(dataset).warning == ""


def test_more_is_required_of_sensitive_data(dataset, data_scientist):
    datasheets.datasheet(
        dataset, data_scientist, sensitivity="cui", authority="", handling=""
    )

    assert missing(dataset) == {"authority", "handling"}


def test_a_steward_who_left_is_missing(dataset, data_scientist, world):
    datasheets.datasheet(dataset, data_scientist, steward=world.validator)
    membership = dataset.project.memberships.get(user=world.validator)

    remove_member(membership=membership, by=world.program_manager)

    assert missing(dataset) == {"steward"}


@pytest.mark.parametrize("sensitivity", ["cui", "pii"])
def test_sensitive_data_is_restricted_and_stays_so(
    dataset, data_scientist, validator, developer, sensitivity
):
    datasheets.datasheet(
        dataset, data_scientist, sensitivity=sensitivity, steward=validator
    )

    dataset.refresh_from_db()
    seen = type(dataset).objects.visible_to
    assert dataset.is_restricted
    assert seen(validator).exists()
    assert not seen(developer).exists()
    with pytest.raises(WrongState, match="keeps this dataset restricted"):
        access.open_to_members(thing=dataset, by=data_scientist)
    datasheets.datasheet(dataset, data_scientist, sensitivity="internal")
    access.open_to_members(thing=dataset, by=data_scientist)
    assert seen(developer).exists()


def test_a_new_steward_of_restricted_data_is_granted_it(
    dataset, data_scientist, validator
):
    datasheets.datasheet(dataset, data_scientist, sensitivity="pii")

    datasheets.datasheet(dataset, data_scientist, sensitivity="pii", steward=validator)

    assert type(dataset).objects.visible_to(validator).exists()


def test_reading_leaves_undecided_hints(dataset, data_scientist):
    hint = datasheets.hint(dataset, data_scientist)

    assert (hint.decision, hint.column, hint.matches) == ("undecided", "species", 2)
    assert "1 hint at personal data undecided" in standing(dataset).warning


def test_undecided_hints_keep_data_from_being_public(dataset, data_scientist):
    datasheets.hint(dataset, data_scientist)
    datasheets.datasheet(dataset, data_scientist, sensitivity="internal")

    with nothing_recorded(), pytest.raises(Invalid, match="cannot be public"):
        datasheets.datasheet(dataset, data_scientist, sensitivity="public")


def test_a_hint_in_public_data_is_a_contradiction(dataset, data_scientist):
    datasheets.datasheet(dataset, data_scientist, sensitivity="public")

    datasheets.hint(dataset, data_scientist)

    assert "cannot be public" in standing(dataset).contradiction


def test_dismissing_every_hint_lets_data_be_public(dataset, data_scientist):
    hint = datasheets.hint(dataset, data_scientist)
    datasheets.datasheet(dataset, data_scientist)

    with one_event("dataset.hint_decided") as events:
        decide(hint, data_scientist, "dismissed", "Names of birds.")

    assert events[0].reason == "Names of birds."
    assert events[0].changes == {
        "column": "species",
        "kind": "person_name",
        "decision": ["undecided", "dismissed"],
    }
    datasheets.datasheet(dataset, data_scientist, sensitivity="public")


def test_a_confirmed_hint_demands_pii(dataset, data_scientist):
    hint = datasheets.hint(dataset, data_scientist)
    datasheets.datasheet(dataset, data_scientist)

    decide(hint, data_scientist, "confirmed")

    assert "choose PII or CUI" in standing(dataset).contradiction
    with pytest.raises(Invalid, match="choose PII or CUI"):
        datasheets.datasheet(dataset, data_scientist, source="Another")
    datasheets.datasheet(dataset, data_scientist, sensitivity="pii")
    assert not standing(dataset).contradiction


def decide(hint, by, decision: str, reason: str = ""):
    return actions.decide_hint(hint=hint, decision=decision, reason=reason, by=by)


def test_decide_hint_again_adds_nothing(dataset, data_scientist):
    hint = datasheets.hint(dataset, data_scientist)
    datasheets.datasheet(dataset, data_scientist)
    decide(hint, data_scientist, "confirmed")

    with nothing_recorded():
        decide(hint, data_scientist, "confirmed")


@pytest.mark.parametrize(
    ("decision", "reason", "field"),
    [
        ("dismissed", " ", "reason"),
        ("confirmed", "a\0b", "reason"),
        ("undecided", "x", "decision"),
    ],
)
def test_decide_hint_refuses_what_says_nothing(
    dataset, data_scientist, decision, reason, field
):
    hint = datasheets.hint(dataset, data_scientist)
    datasheets.datasheet(dataset, data_scientist)

    with nothing_recorded(), pytest.raises(Invalid) as caught:
        decide(hint, data_scientist, decision, reason)

    assert set(caught.value.fields) == {field}


def test_decide_hint_is_the_stewards(dataset, data_scientist, validator):
    hint = datasheets.hint(dataset, data_scientist)
    with pytest.raises(WrongState, match="steward"):
        decide(hint, data_scientist, "confirmed")
    datasheets.datasheet(dataset, data_scientist, steward=validator)

    with nothing_recorded(), pytest.raises(Refused, match="Vera Validator"):
        decide(hint, data_scientist, "confirmed")

    decide(hint, validator, "confirmed")
    assert PersonalDataHint.objects.get().decision == HintDecision.CONFIRMED


def test_the_questions_are_there_once():
    slugs = list(definition().fields)

    assert len(slugs) == len(set(slugs))
    assert definition().source


@pytest.mark.parametrize(
    "text",
    [
        "sections: 3",
        "[",
        "name: a\nversion: 1\ntitle: t\nsource: s\nsections: []",
        "name: a\nversion: 1\ntitle: t\nsource: s\nsections: [{title: a, fields: ["
        + ", ".join(["{slug: a, title: A, help: h}"] * 2)
        + "]}]",
    ],
)
def test_a_faulty_file_of_questions_is_refused(text):
    with pytest.raises(DefinitionFaulty):
        read_definition(text)
