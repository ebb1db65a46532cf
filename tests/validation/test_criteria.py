import pytest

from apps.core.errors import Invalid
from apps.validation.criteria import check_criteria, in_words
from tests.factories.validation import CRITERIA

COST = {
    "measure": "mission_cost_per_1000",
    "operator": "<=",
    "threshold": 1200,
    "blocking": True,
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"measure": "wishful"}, "criteria[0].measure"),
        ({"measure": "rmse", "operator": "<="}, "criteria[0].measure"),
        ({"operator": "<="}, "criteria[0].operator"),
        ({"operator": "=="}, "criteria[0].operator"),
        ({"threshold": 1.2}, "criteria[0].threshold"),
        ({"threshold": -0.1}, "criteria[0].threshold"),
        ({"threshold": float("nan")}, "criteria[0].threshold"),
        ({"threshold": float("inf")}, "criteria[0].threshold"),
        ({"threshold": "high"}, "criteria[0].threshold"),
        ({"blocking": "yes"}, "criteria[0].blocking"),
        ({"blocking": False}, "criteria"),
        ({"colour": "blue"}, "criteria[0].colour"),
    ],
)
def test_check_criteria_refuses_what_cannot_be_judged(change, field):
    with pytest.raises(Invalid) as caught:
        check_criteria([{**CRITERIA[0], **change}], "binary")

    assert set(caught.value.fields) == {field}


@pytest.mark.parametrize("criteria", [[], CRITERIA[:1] * 2, CRITERIA * 11])
def test_check_criteria_refuses_none_twice_and_too_many(criteria):
    with pytest.raises(Invalid) as caught:
        check_criteria(criteria, "binary")

    assert set(caught.value.fields) == {"criteria"}


def test_check_criteria_takes_one_measure_as_duty_and_as_wish():
    wish = {**CRITERIA[0], "threshold": 0.8, "blocking": False}

    assert check_criteria([CRITERIA[0], wish], "binary") == [CRITERIA[0], wish]


def test_check_criteria_takes_a_cost_above_one():
    (found,) = check_criteria([COST], "binary")

    assert in_words(found) == "Mission cost per 1,000 cases at most 1,200 — must hold"


def test_in_words_keeps_a_measure_that_is_no_longer_known():
    old = {**CRITERIA[0], "measure": "gini"}

    assert in_words(old) == "gini at least 0.6 — must hold"
