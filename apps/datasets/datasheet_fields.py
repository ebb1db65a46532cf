"""The questions of a datasheet: a versioned data file, checked when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import yaml

from apps.projects.models import Impact
from engine.spec import SpecError, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "datasheets"
SINGLE_KINDS = ("person", "sensitivity")


class DefinitionFaulty(Exception):
    """The file of questions cannot be used; the message says where and why."""


@dataclass(frozen=True)
class DatasheetField:
    """One question.

    Args:
        slug: what is stored.
        title: what people call it.
        help: what a good answer holds.
        kind: text, or one of the two that the portal acts on.
        required_for: levels of impact at which it must be answered.
        required_for_sensitivity: stated sensitivities at which it must be.
        supports: what the answer is evidence for.
    """

    slug: str
    title: str
    help: str
    kind: Literal["text", "person", "sensitivity"] = "text"
    required_for: tuple[Literal["undetermined", "not_high", "high"], ...] = ()
    required_for_sensitivity: tuple[Literal["cui", "pii"], ...] = ()
    supports: str = ""

    def is_required(self, impact: str, sensitivity: str) -> bool:
        """Say whether a datasheet is incomplete without an answer."""
        return (
            impact in self.required_for or sensitivity in self.required_for_sensitivity
        )


@dataclass(frozen=True)
class DatasheetSection:
    """Questions about one side of the data."""

    title: str
    fields: tuple[DatasheetField, ...]


@dataclass(frozen=True)
class DatasheetDefinition:
    """All questions.

    Args:
        name: of the file.
        version: raised with every change of the file.
        title: what people call it.
        source: where the questions come from, and when that was read.
        sections: in the order they are asked.
    """

    name: str
    version: int
    title: str
    source: str
    sections: tuple[DatasheetSection, ...]

    @cached_property
    def fields(self) -> dict[str, DatasheetField]:
        """Every question by its slug, in order."""
        return {field.slug: field for field in self._all()}

    @cached_property
    def text_slugs(self) -> tuple[str, ...]:
        """The questions that are answered with a text."""
        return tuple(field.slug for field in self._all() if field.kind == "text")

    def _all(self) -> Iterator[DatasheetField]:
        return (field for section in self.sections for field in section.fields)


@cache
def definition() -> DatasheetDefinition:
    """Read the questions from their file.

    Raises:
        DefinitionFaulty: the file says something impossible.
    """
    return read_definition((FOLDER / "standard.yaml").read_text(encoding="utf-8"))


def read_definition(text: str) -> DatasheetDefinition:
    """Build the questions from the text of their file.

    Raises:
        DefinitionFaulty: a field is missing, unknown, or there twice.
    """
    try:
        found: DatasheetDefinition = decode(DatasheetDefinition, yaml.safe_load(text))
    except (yaml.YAMLError, SpecError) as error:
        raise DefinitionFaulty(f"The datasheet cannot be read: {error}") from error
    fields = [field for section in found.sections for field in section.fields]
    slugs = [field.slug for field in fields]
    if len(set(slugs)) != len(slugs):
        raise DefinitionFaulty("Two questions of the datasheet have the same slug.")
    kinds = [str(field.kind) for field in fields]
    for kind in SINGLE_KINDS:
        if kinds.count(kind) != 1:
            raise DefinitionFaulty(f"The datasheet needs one question of kind {kind}.")
    return found


def impact_words(impact: str) -> str:
    """Say for whom fields are required, as the end of a sentence."""
    return {
        Impact.HIGH: "a high-impact project",
        Impact.NOT_HIGH: "a project that is not high-impact",
    }.get(Impact(impact), "a project whose impact is not yet determined")
