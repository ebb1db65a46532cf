"""What a reviewer reads about the difference from the version signed last."""

import copy

import pytest
from django.urls import reverse

from apps.approvals.changes import changes_since, moved_measures
from apps.approvals.models import ApprovalRequest
from apps.registry.actions import edit_card
from tests.factories import approvals, people, registry, training, validation
from tests.factories.validation import MEASURES, RESULT


def measured(**values: float) -> list[dict]:
    """The measures of a report, with some values of their own."""
    found = copy.deepcopy(MEASURES)
    for row in found:
        row["value"] = values.get(row["measure"], row["value"])
    return found


def grouped(group: str, value: float) -> list[dict]:
    """The subgroups of a report, with another recall for one group."""
    found = copy.deepcopy(RESULT["subgroups"])
    for one in found[0]["groups"]:
        if one["group"] == group:
            one["measures"]["recall"]["value"] = value
    return found


@pytest.fixture
def signed(world) -> ApprovalRequest:
    return approvals.approved(world)


def next_request(world, **result) -> ApprovalRequest:
    version = approvals.validated_version(world, **result)
    return approvals.request(world, version)


def found(approval, world, area: str):
    compared = changes_since(approval, world.validator)
    return [change for change in compared.found if change.area == area]


def test_the_first_request_has_nothing_to_compare_with(world):
    assert changes_since(approvals.request(world), world.validator) is None


def test_a_rejected_version_is_nothing_to_compare_with(world):
    approvals.rejected(world)
    assert changes_since(next_request(world), world.validator) is None


def test_measures_say_how_far_they_moved_and_whether_for_the_better(world, signed):
    approval = next_request(world, measures=measured(recall=0.35, brier=0.06))

    moved = found(approval, world, "measures")

    assert [(c.title, c.before, c.after, c.better) for c in moved] == [
        ("Recall", "0.7", "0.35", False),
        ("Brier score", "0.08", "0.06", True),
    ]
    assert [round(c.percent) for c in moved] == [-50, -25]
    figure = moved_measures(changes_since(approval, world.validator))
    assert "Recall moved most, for the worse: from 0.7 to 0.35" in str(figure)


def test_groups_that_are_large_enough_are_compared(world, signed):
    approval = next_request(world, subgroups=grouped("climb", 0.3))
    (change,) = found(approval, world, "subgroups")
    assert change.title == "Recall where phase is climb"
    assert (change.before, change.after, change.better) == ("0.6", "0.3", False)


def test_small_groups_are_left_out(world, signed):
    approval = next_request(world, subgroups=grouped("taxi", 0.1))
    assert not found(approval, world, "subgroups")


def test_the_largest_change_comes_first(world, signed):
    approval = next_request(
        world, measures=measured(recall=0.69), subgroups=grouped("climb", 0.1)
    )
    sizes = [c.size for c in changes_since(approval, world.validator).found]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) >= 2
    areas = [c.area for c in changes_since(approval, world.validator).largest]
    assert areas == ["subgroups", "measures"]


def on_other_data(world) -> ApprovalRequest:
    """A request for a version that was trained on another dataset."""
    other = training.data(world.project, world.data_scientist, "strikes-2024")
    version = registry.model_version(
        world.project, world.data_scientist, dataset_version=other
    )
    validation.finished_report(version, world.validator)
    version.refresh_from_db()
    return approvals.request(world, version)


def test_another_dataset_is_named(world, signed):
    (change, *_) = found(on_other_data(world), world, "data")
    assert change.title == "Dataset version"
    assert change.before != change.after


def test_texts_of_the_card_are_laid_side_by_side(world, signed):
    version = approvals.validated_version(world)
    edit_card(
        version=version,
        sections={"limitations": "Not tried at night."},
        by=world.data_scientist,
    )
    approval = approvals.request(world, version)

    compared = changes_since(approval, world.validator)

    assert compared.texts["Limitations"][1] == "Not tried at night."
    assert "Model card" not in compared.same


def test_a_policy_that_demands_less_is_shown(world, signed):
    approval = next_request(world)
    approval.policy = copy.deepcopy(approval.policy)
    approval.policy["stages"][0]["required"] = 2
    (change,) = found(approval, world, "policy")
    assert (change.title, change.before, change.after) == (
        "Stage Technical review",
        "1 × Independently validated",
        "2 × Independently validated",
    )


def test_page_and_api_show_the_same(world, signed, client_of, api_of):
    approval = next_request(world, measures=measured(recall=0.35))
    page = client_of(world.program_manager).get(
        reverse("approvals:changes", args=[approval.pk])
    )
    answer = api_of(world.program_manager).get(
        reverse("v1:approval_changes", args=[approval.pk])
    )

    text = page.content.decode()
    assert "Recall" in text
    assert "Worse" in text
    titles = [change["title"] for change in answer.json()["changes"]]
    assert "Recall" in titles
    assert answer.json()["compared_with"] == str(signed.pk)


def test_without_a_signed_version_the_page_says_so_and_the_api_has_nothing(
    world, client_of, api_of
):
    approval = approvals.request(world)
    page = client_of(world.validator).get(
        reverse("approvals:changes", args=[approval.pk])
    )
    assert "Nothing to compare with" in page.content.decode()
    url = reverse("v1:approval_changes", args=[approval.pk])
    assert api_of(world.validator).get(url).status_code == 404


def test_data_that_the_reader_may_not_see_are_not_named(world, signed):
    stranger = people.person("stranger@agency.example", "Stranger")
    compared = changes_since(on_other_data(world), stranger)
    (change, *_) = (c for c in compared.found if c.area == "data")
    assert change.before == "A restricted dataset (1)"
