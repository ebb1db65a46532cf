"""Which run, logged model or version an address of files means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from apps.experiments.models import ItemKind
from apps.registry.importing.records import Place, version_id

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_RUN = re.compile(r"runs:/+([^/]+)(?:/(.*))?", re.DOTALL)
_OF_LOGGED = re.compile(r"models:/+(m-[^/]+)(?:/(.*))?", re.DOTALL)
_OF_VERSION = re.compile(r"models:/+(.+)/([0-9]{1,9})", re.DOTALL)
FOLDER, LOGGED = "artifacts", "models"


def places_in(address: str) -> Iterator[Place]:
    """Give the places that an address may mean; which of them there are is not known.

    Stores keep the files of a run below `<run>/artifacts`, and those of a logged model
    below `models/<id>/artifacts`, wherever all of it lies.
    """
    if match := _OF_RUN.fullmatch(address):
        yield from _spelled(ItemKind.RUN, match[1], match[2] or "")
        return
    if match := _OF_VERSION.fullmatch(address):
        yield Place(ItemKind.MODEL_VERSION, version_id(match[1], int(match[2])))
    if match := _OF_LOGGED.fullmatch(address):
        yield from _spelled(ItemKind.MODEL, match[1], match[2] or "")
        return
    parts = _path_of(address).split("/")
    for at, part in enumerate(parts):
        if part != FOLDER or not at:
            continue
        root = "/".join(parts[at + 1 :])
        if at > 1 and parts[at - 2] == LOGGED:
            yield from _spelled(ItemKind.MODEL, parts[at - 1], root)
        yield from _spelled(ItemKind.RUN, parts[at - 1], root)


def _spelled(kind: ItemKind, source_id: str, root: str) -> Iterator[Place]:
    """Give a place as it is written, and with its signs decoded."""
    root = root.strip("/")
    yield Place(kind, source_id, root)
    if unquote(root) != root:
        yield Place(kind, source_id, unquote(root))


def _path_of(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:  # what looks like an address and is none
        return address
