"""What a version shows of a column that may hold personal data."""

import pytest

from apps.datasets.queries.columns import column_cards
from tests.factories import datasets as factory

HINT = {"kind": "social security number", "matches": 4, "share": 1.0}


@pytest.mark.parametrize("is_hidden", [True, False])
def test_numbers_that_may_name_people_are_said_to_be_hidden(
    world, client_of, is_hidden
):
    dataset = factory.dataset(world.project, world.data_scientist)
    shown = dict.fromkeys(("min", "max", "quantiles", "histogram"))
    column = {**factory.RESULT["profile"]["columns"][0], "name": "ssn", **shown}
    column |= {"type": "integer", "top": []}
    hints = [{"column": "ssn", "example_masked": "1••••••••", **HINT}]
    result = {
        **factory.RESULT,
        "profile": {"columns": [column], "correlations": None},
        "hints": hints if is_hidden else None,
    }
    version = factory.ready_version(dataset, world.data_scientist, result=result)

    page = client_of(world.data_scientist).get(version.get_absolute_url())

    assert [card.hides_figures for card in column_cards(version)] == [is_hidden]
    assert ("a number may name a person" in page.text) is is_hidden
