"""A plugin of pytest: where MLflow's tests start a server, they get the portal.

Runs in MLflow's environment, which has the standard library, pytest and requests.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import requests

Origins: Any = import_module("origins_for_mlflow").Origins
STAND_INS: Any = import_module("stores_for_mlflow").STAND_INS

HELPERS = "tests.tracking.integration_test_utils"
OTHER_STORE = "[file"
MAKE_UP_ORIGINS = {
    "tests/tracking/test_model_registry.py",
    "tests/store/model_registry/test_sqlalchemy_store.py",
}


def pytest_configure(config: pytest.Config) -> None:
    """Replace the two ways in which tests start a server, before any imports them."""
    helpers: Any = import_module(HELPERS)
    helpers._init_server = _init_server
    helpers.ServerThread = ServerThread


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Run tests once that MLflow runs for each of its stores: there is one here."""
    names = {item.nodeid.partition("[")[0] for item in items if not _is_other(item)}
    doubles = [
        item
        for item in items
        if _is_other(item) and item.nodeid.partition("[")[0] in names
    ]
    items[:] = [item for item in items if item not in doubles]
    config.hook.pytest_deselected(items=doubles)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: Any
) -> object | None:
    """Give the portal where a file of tests makes a store or a server itself."""
    stand_in = STAND_INS.get((fixturedef.baseid, fixturedef.argname))
    if stand_in is None:
        return None
    with ServerThread(None, 0) as url:
        value: object = stand_in(url, request)
    fixturedef.cached_result = (value, fixturedef.cache_key(request), None)
    return value


@pytest.fixture(autouse=True)
def portal_instead_of_files(request: pytest.FixtureRequest) -> None:
    """Log to the portal what MLflow's tests log to a database of their own."""
    if "tracking_uri_mock" in request.fixturenames:
        request.getfixturevalue("tracking_uri_mock")
        if "notrackingurimock" not in request.keywords and not _has_stand_in(request):
            with ServerThread(None, 0):
                pass


@pytest.fixture(autouse=True)
def origins_that_exist(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let tests register what they make up."""
    if _file(request) in MAKE_UP_ORIGINS:
        origins = Origins(os.environ["PORTAL_URL"])
        monkeypatch.setattr(
            requests.Session,
            "request",
            lambda session, *args, **sent: origins.request(session, *args, **sent),
        )


def _has_stand_in(request: pytest.FixtureRequest) -> bool:
    place = _file(request)
    return any((place, name) in STAND_INS for name in request.fixturenames)


def _file(request: pytest.FixtureRequest) -> str:
    return str(request.node.nodeid).partition("::")[0]


def _is_other(item: pytest.Item) -> bool:
    return OTHER_STORE in item.nodeid


class ServerThread:
    """Stands where MLflow's tests run its application in a thread."""

    def __init__(self, app: object, port: int) -> None:
        self.url = os.environ["PORTAL_URL"]

    def __enter__(self) -> str:
        """Log to the portal by default: a server's own database was the default."""
        _new_project()
        mlflow: Any = import_module("mlflow")
        mlflow.set_tracking_uri(self.url)
        return self.url

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


@contextmanager
def _init_server(*_: object, **__: object) -> Iterator[str]:
    with ServerThread(None, 0) as url:
        yield url


def _new_project() -> None:
    """Get a project and its token, and let every HTTP request of ours send it.

    The tests know no tokens, and some send requests themselves; the library that sends
    all of them looks for the host in the file that NETRC names.
    """
    with socket.socket(socket.AF_UNIX) as giver:
        giver.connect(os.environ["PORTAL_PROJECTS"])
        token = giver.makefile().read()
    netrc = Path(os.environ["HOME"], "netrc")
    netrc.write_text(f"machine 127.0.0.1 login token password {token}\n")
    os.environ["NETRC"] = str(netrc)
