"""The minimum practices of a high-impact use: a versioned data file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from engine.spec import decode

FILE = Path(__file__).parent / "practices" / "m_25_21.yaml"


@dataclass(frozen=True)
class Practice:
    """One minimum practice.

    Args:
        slug: what is stored.
        section: of the memorandum.
        title: its official name.
        short: what it is called in a sentence.
        asks: what a statement on it is about.
        answers: the official choice by the state that a statement can have.
    """

    slug: str
    section: str
    title: str
    short: str
    asks: str
    answers: dict[str, str]


@dataclass(frozen=True)
class Framework:
    """The practices together, and where they come from.

    Args:
        name: of the file.
        version: raised with every change of the file.
        source: where its words are from.
        waived: the official choice for a practice that was waived.
        practices: in the order of the memorandum.
    """

    name: str
    version: int
    source: str
    waived: str
    practices: tuple[Practice, ...]


@cache
def framework() -> Framework:
    """Read the framework from its file."""
    text = FILE.read_text(encoding="utf-8")
    found: Framework = decode(Framework, yaml.safe_load(text))
    return found


@cache
def practices() -> dict[str, Practice]:
    """Give every practice by its slug, in the order of the memorandum."""
    return {one.slug: one for one in framework().practices}
