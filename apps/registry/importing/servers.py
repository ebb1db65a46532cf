"""Registered models of a server of MLflow, asked over its REST API."""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import partial
from typing import Any

from apps.experiments.importing.records import (
    Faults,
    Lost,
    Malformed,
    SourceGone,
    Unreadable,
)
from apps.experiments.importing.run_folders import moment
from apps.experiments.importing.server_connection import NotOffered, ServerConnection
from apps.experiments.importing.servers import API, MlflowServer, pairs
from apps.experiments.models import ItemKind
from apps.registry.importing.records import (
    PROMPT,
    PROMPT_TAG,
    Place,
    SourceRegistered,
    SourceVersion,
    short_id,
    stage_of,
    version_id,
)

AT_ONCE = 500
LARGEST_NUMBER = 1_000_000_000
MODELS = f"{API}/registered-models/search"
VERSIONS = f"{API}/model-versions/search"

Fields = dict[str, Any]


class ServerRegistry:
    """The registered models of a server.

    Args:
        connection: with the server.
        server: its experiments.
    """

    def __init__(self, connection: ServerConnection, server: MlflowServer):
        self._connection, self._server = connection, server

    def registered_models(self) -> Iterator[SourceRegistered | Lost]:
        """Give its registered models; prompts, which it keeps beside them, are lost.

        Raises:
            Unreadable: the server does not answer as MLflow does.
        """
        asked = {"max_results": AT_ONCE}
        try:
            for one in self._pages(MODELS, asked, "registered_models"):
                found = _registered(one)
                if isinstance(found, Lost) or PROMPT_TAG not in found.tags:
                    yield found
        except NotOffered:  # a server without a registry
            return
        yield from self._prompts(asked)

    def versions(
        self, model: SourceRegistered, done: Container[str]
    ) -> Iterator[SourceVersion | Lost]:
        """Give the versions of a registered model, by number.

        Raises:
            Unreadable: the server does not answer as MLflow does.
        """
        asked: Fields = {"max_results": AT_ONCE}
        # A name with both marks cannot be asked for.
        if mark := next((one for one in "'\"" if one not in model.name), ""):
            asked["filter"] = f"name = {mark}{model.name}{mark}"
        found = {}
        for one in self._pages(VERSIONS, asked, "model_versions"):
            if one.get("name") == model.name:
                found[_number(one.get("version"))] = one
        for number in sorted(found):
            told = version_id(model.name, number)
            if not number:
                told = short_id(f"{model.name}/{found[number].get('version')}")
                yield Lost(told, "It has no number.", ItemKind.MODEL_VERSION)
            elif told not in done:
                try:
                    version: SourceVersion | Lost = self._version(
                        model, number, found[number]
                    )
                except Malformed as error:
                    version = Lost(told, str(error), ItemKind.MODEL_VERSION)
                yield version

    def paths(self, place: Place, faults: Faults) -> Iterator[str]:
        """Give the paths of the files that lie at or below a place.

        Raises:
            Unreadable: the server cannot list them.
        """
        is_run = place.kind == ItemKind.RUN
        of = self._server.files_of_run if is_run else self._server.files_of_model
        return (file.path for file in of(place.source_id, faults, place.root))

    def _prompts(self, asked: Fields) -> Iterator[Lost]:
        asked = {**asked, "filter": f"tag.`{PROMPT_TAG}` = 'true'"}
        try:
            for one in self._pages(MODELS, asked, "registered_models"):
                if PROMPT_TAG in pairs(one.get("tags")):
                    told = short_id(str(one.get("name")))
                    yield Lost(told, PROMPT, ItemKind.REGISTERED_MODEL)
        except SourceGone:
            raise
        except Unreadable:  # a server that has none and knows no such filter
            return

    def _version(
        self, model: SourceRegistered, number: int, given: Fields
    ) -> SourceVersion:
        faults = Faults()
        return SourceVersion(
            model=model.name,
            number=number,
            source=str(given.get("source") or ""),
            stored_at=partial(self._stored_at, model.name, number),
            run=str(given.get("run_id") or ""),
            logged_model=str(given.get("model_id") or ""),
            description=str(given.get("description") or ""),
            run_link=str(given.get("run_link") or ""),
            tags=pairs(given.get("tags")),
            aliases=[name for name, at in model.aliases.items() if at == number],
            stage=stage_of(given.get("current_stage"), faults),
            status=str(given.get("status") or ""),
            user=str(given.get("user_id") or ""),
            created_at=moment(given.get("creation_timestamp"), faults),
            faults=faults,
        )

    def _stored_at(self, name: str, number: int) -> str:
        asked = {"name": name, "version": str(number)}
        path = f"{API}/model-versions/get-download-uri"
        return str(self._connection.ask("GET", path, asked).get("artifact_uri") or "")

    def _pages(self, path: str, asked: Fields, name: str) -> Iterator[Fields]:
        return self._server.pages(path, asked, name, method="GET")


def _registered(given: Fields) -> SourceRegistered | Lost:
    faults, name = Faults(), str(given.get("name"))
    try:
        tags = pairs(given.get("tags"))
    except Malformed as error:
        return Lost(short_id(name), str(error), ItemKind.REGISTERED_MODEL)
    listed = given.get("aliases") or []
    aliases = listed if isinstance(listed, list) else []
    return SourceRegistered(
        name=name,
        description=str(given.get("description") or ""),
        tags=tags,
        aliases={
            str(one.get("alias")): _number(one.get("version"))
            for one in aliases
            if isinstance(one, dict)
        },
        created_at=moment(given.get("creation_timestamp"), faults),
        faults=faults,
    )


def _number(given: Any) -> int:
    """Read the number of a version; 0 for what is none."""
    try:
        number = int(given)
    except (TypeError, ValueError):
        return 0
    return number if 0 < number < LARGEST_NUMBER else 0
