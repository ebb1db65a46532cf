import pytest

from apps.approvals.policies import FOLDER, PolicyFaulty, load_policy, read_policy

STANDARD = (FOLDER / "standard.yaml").read_text(encoding="utf-8")


def test_load_policy_gives_the_standard_stages_in_order():
    policy = load_policy("standard")

    assert [(stage.role, stage.required) for stage in policy.stages] == [
        ("validator", 1),
        ("operations_manager", 1),
        ("program_manager", 1),
    ]
    assert policy.to_json()["stages"][0]["meaning"] == "Independently validated"


def test_load_policy_that_is_missing_fails():
    with pytest.raises(PolicyFaulty, match="no policy named other"):
        load_policy("other")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("role: validator", "role: auditor", "may not sign"),
        ("required: 1", "required: 0", "must require 1 or more"),
        ("version: 2", "version: 0", "whole number from 1"),
        ("version: 2", "version: one", "cannot be read"),
        ("meaning: Ready to operate", "meaning: ''", "title and a meaning"),
        ("required: 1", "needed: 1", "cannot be read"),
        ("stages:", "stages: []\nsteps:", "cannot be read"),
        ("name: standard", "name: [", "cannot be read"),
        ("request_days: 90", "request_days: 0", "request_days must be 1 to 3,650"),
        ("due_days: 10", "due_days: 9999", "due_days of Technical review must be"),
        ("max_days: 90", "max_days: -1", "conditions.max_days must be"),
        ("due_days: 10", "comment: sometimes", "must be one of 'optional', 'always'"),
    ],
)
def test_read_policy_refuses_the_impossible(before, after, sentence):
    with pytest.raises(PolicyFaulty, match=sentence):
        read_policy(STANDARD.replace(before, after, 1))


def test_read_policy_without_stages_fails():
    with pytest.raises(PolicyFaulty, match="at least one stage"):
        read_policy("{name: empty, version: 1, title: Empty, stages: []}")
