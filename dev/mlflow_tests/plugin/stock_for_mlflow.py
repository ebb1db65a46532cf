"""A plugin of pytest: tests of MLflow's stores ask a server of MLflow's own.

What fails here, too, says nothing about the portal: the answer of a store and that of a
server are not the same thing.
"""

import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

REST_STORES: Any = import_module("stores_for_mlflow").REST_STORES

_EMPTY: list[Path] = []


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: Any
) -> object | None:
    """Give a store that asks a new server where a file of tests makes a store."""
    stand_in = REST_STORES.get((fixturedef.baseid, fixturedef.argname))
    if stand_in is None:
        return None
    folder = request.getfixturevalue("tmp_path_factory").mktemp("stock")
    server = _server(folder)
    value: object = stand_in(server.__enter__(), request)
    request.addfinalizer(lambda: server.__exit__(None, None, None))
    fixturedef.cached_result = (value, fixturedef.cache_key(request), None)
    return value


def _server(folder: Path) -> Any:
    handlers: Any = import_module("mlflow.server.handlers")
    helpers: Any = import_module("tests.tracking.integration_test_utils")
    app: Any = import_module("mlflow.server.fastapi_app").app
    port = import_module("tests.helper_functions").get_safe_port()
    database = folder / "mlflow.db"
    if _EMPTY:
        shutil.copy(_EMPTY[0], database)
    handlers._tracking_store = handlers._model_registry_store = None
    root = (folder / "artifacts").as_uri()
    handlers.initialize_backend_stores(f"sqlite:///{database}", None, root)
    if not _EMPTY:
        _EMPTY.append(Path(shutil.copy(database, folder / "empty.db")))
    return helpers.ServerThread(app, port)
