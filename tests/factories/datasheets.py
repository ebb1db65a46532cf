"""Datasheets as people write them, and hints as reading leaves them."""

from apps.datasets import actions
from apps.datasets.datasheet_fields import definition
from apps.datasets.models import Dataset, Datasheet, PersonalDataHint
from tests.factories import datasets

HINT = {
    "column": "species",
    "kind": "person_name",
    "matches": 2,
    "share": 0.67,
    "example_masked": "G***",
}


def values(steward=None, sensitivity="internal", **answers: str):
    """A datasheet that answers everything, unless told otherwise."""
    texts = {slug: f"About {slug}." for slug in definition().text_slugs}
    return actions.DatasheetValues(
        steward=steward, sensitivity=sensitivity, answers={**texts, **answers}
    )


def datasheet(dataset: Dataset, by, **stated) -> Datasheet:
    """A complete datasheet with `by` as steward."""
    whole = values(**{"steward": by, **stated})
    return actions.write_datasheet(dataset=dataset, values=whole, by=by)


def hint(dataset: Dataset, by, content: bytes = datasets.CSV) -> PersonalDataHint:
    """An undecided hint on a version that was just read."""
    version = datasets.ready_version(
        dataset, by, content, result={**datasets.RESULT, "hints": [HINT]}
    )
    return version.personal_hints.get()
