"""What MLflow's tests get for fixtures that make a store or a server themselves.

MLflow tests its stores by calling them, and its artifact server by starting it. The
client has a store with the same calls that asks a server: this one asks the portal.
"""

import inspect
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import pytest


def _rest_store(kind: str, url: str, request: pytest.FixtureRequest) -> object:
    """The client's store, made to take and tell nothing and numbers as others do."""
    credentials: Any = import_module("mlflow.utils.rest_utils").MlflowHostCreds
    module: Any = import_module(f"mlflow.store.{kind}.rest_store")
    store: Any = module.RestStore(lambda: credentials(url))
    if kind == "tracking":
        store.create_run = _with_tags(store.create_run)
        # Servers of MLflow's own have this experiment before all others.
        store.get_experiment("0")
    else:
        patch = request.getfixturevalue("monkeypatch")
        entities: Any = import_module("mlflow.entities.model_registry")
        for name in ("RegisteredModel", "RegisteredModelAlias", "ModelVersion"):
            entity = getattr(entities, name)
            patch.setattr(entity, "from_proto", _as_stored(entity.from_proto))
    return store


def _with_tags(create: Callable[..., Any]) -> Callable[..., Any]:
    """Take no tags as an empty list, by whichever place or name they are given."""

    def create_run(*args: Any, **given: Any) -> Any:
        asked = inspect.signature(create).bind(*args, **given)
        asked.arguments["tags"] = asked.arguments.get("tags") or []
        return create(*asked.args, **asked.kwargs)

    return create_run


def _as_stored(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Messages of HTTP know no None, and tell the number of a version as a text."""

    def from_proto(message: Any) -> Any:
        found = read(message)
        for name in ("_description", "_run_id", "_run_link", "_status_message"):
            if getattr(found, name, None) == "":
                setattr(found, name, None)
        if hasattr(found, "_version"):
            found._version = int(found._version)
        return found

    return from_proto


def _artifacts_server(url: str, request: pytest.FixtureRequest) -> object:
    """The values of that fixture, for a server whose disk nobody may look at."""
    names: Any = request.module  # type: ignore[attr-defined,unused-ignore]
    return names.ArtifactsServer(
        backend_store_uri=url,
        default_artifact_root=f"{url}/api/2.0/mlflow-artifacts/artifacts",
        artifacts_destination="/nowhere",
        url=url,
        process=None,
    )


StandIn = Callable[[str, pytest.FixtureRequest], object]

REST_STORES: dict[tuple[str, str], StandIn] = {
    (f"tests/store/{kind}/test_sqlalchemy_store.py", "store"): partial(
        _rest_store, kind
    )
    for kind in ("tracking", "model_registry")
}
STAND_INS = REST_STORES | {
    ("tests/tracking/test_mlflow_artifacts.py", "artifacts_server"): _artifacts_server
}
