"""The rows that the model could learn from, where they are in the job folder."""

# ruff: noqa: S608 - names and literals are quoted by `tables`

from engine import tables
from engine.evaluation.shape import NotTested
from engine.evaluation.subject import Subject
from engine.reading import column_types

DATA = "train.parquet"
HELD_OUT = "held_out.parquet"  # the column `row` counts from 0 in the data


def source(subject: Subject) -> str:
    """Return an SQL source of the training data without the rows held out.

    Raises:
        NotTested: the data are not in the folder, or lack a column of the model.
    """
    path = subject.folder.inputs / DATA
    if not path.is_file():
        raise NotTested("The training data are not at hand, nor a profile of them.")
    types = column_types(subject.database, path)
    wanted = [*(found.name for found in subject.signature.inputs), subject.spec.target]
    if gone := [name for name in wanted if name not in types]:
        raise NotTested(f'The training data have no column "{gone[0]}".')
    rows, number = tables.numbered(path, types)
    held_out = subject.folder.inputs / HELD_OUT
    known = f"{tables.name(subject.spec.target)} IS NOT NULL"
    if held_out.is_file():
        known += (
            f" AND {number} NOT IN "
            f"(SELECT row FROM read_parquet({tables.text(held_out)}))"
        )
    return f"(SELECT * FROM {rows} WHERE {known})"
