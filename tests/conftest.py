"""The people of every test, in one project."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.test import Client, TransactionTestCase, override_settings

from apps.accounts import actions as accounts
from apps.accounts.models import User
from apps.audit import protection
from apps.projects.models import Project
from tests.emptying import empty_the_tables
from tests.factories import projects as project_factory
from tests.kept_rows import put_back, statement_for_rows_of


@dataclass(frozen=True)
class World:
    """One project with a member in each role, and people around it."""

    project: Project
    program_manager: User
    data_scientist: User
    validator: User
    operations_manager: User
    developer: User
    auditor: User
    ai_official: User
    administrator: User
    outsider: User
    worker: User


# Files that start processes take longest; handed out last, one would hold up the end.
SLOW_FOLDERS = {"workers", "importing", "mlflow_api", "engine", "dev", "core"}


def pytest_collection_modifyitems(config, items) -> None:
    """Let test processes begin with what takes longest, then with the largest files."""
    if not hasattr(config, "workerinput"):
        return
    sizes = Counter(item.path for item in items)
    items.sort(
        key=lambda item: (item.path.parent.name not in SLOW_FOLDERS, -sizes[item.path])
    )


FAST_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def fast_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = FAST_HASHERS


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path: Path) -> None:
    settings.JOBS_DIR = tmp_path / "jobs"
    settings.UPLOADS_DIR = tmp_path / "uploads"
    settings.DATA_SOURCES = {}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "blobs")},
        },
    }


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix) -> None:
    """Begin with a copy of the database that `dev.test` has migrated."""
    if template := os.environ.get("TEST_DATABASE_TEMPLATE"):
        connection.settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture(scope="session")
def kept_world(django_db_setup, django_db_blocker) -> tuple[World, str]:
    """The world as the actions make it, and the statement that makes it again."""
    with django_db_blocker.unblock(), override_settings(PASSWORD_HASHERS=FAST_HASHERS):
        ensure_worker()
        return statement_for_rows_of(lambda: project_factory.world(World))


@pytest.fixture
def world(request, db, worker_account, kept_world) -> World:
    # The kept rows tell of today, and bear numbers that only this database gave.
    is_elsewhere = "own_database" in request.fixturenames
    if is_elsewhere or time_machine.escape_hatch.is_travelling():
        return project_factory.world(World)
    made, statement = kept_world
    put_back(statement)
    found = User.objects.in_bulk()
    people = {
        name: found[person.pk]
        for name, person in vars(made).items()
        if person.pk in found and name != "worker"
    }
    project = Project.objects.get(pk=made.project.pk)
    return World(project=project, worker=accounts.service_account(), **people)


@pytest.fixture
def project(world) -> Project:
    return world.project


@pytest.fixture
def program_manager(world) -> User:
    return world.program_manager


@pytest.fixture
def data_scientist(world) -> User:
    return world.data_scientist


@pytest.fixture
def validator(world) -> User:
    return world.validator


@pytest.fixture
def operations_manager(world) -> User:
    return world.operations_manager


@pytest.fixture
def developer(world) -> User:
    return world.developer


@pytest.fixture
def auditor(world) -> User:
    return world.auditor


@pytest.fixture
def ai_official(world) -> User:
    return world.ai_official


@pytest.fixture
def administrator(world) -> User:
    return world.administrator


@pytest.fixture
def outsider(world) -> User:
    return world.outsider


@pytest.fixture
def worker(world) -> User:
    return world.worker


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A browser in which the person is signed in."""

    def sign_in(person: User) -> Client:
        client = Client()
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def api_of() -> Callable[..., Client]:
    """A program that acts for the person with a token."""

    def issue(person: User, scope: str = "write") -> Client:
        _, secret = accounts.issue_token(name="test", scope=scope, days=1, by=person)
        return Client(headers={"Authorization": f"Bearer {secret}"})

    return issue


@pytest.fixture(scope="session", autouse=True)
def tables_that_can_be_emptied() -> Iterator[None]:
    """Let tests with real commits empty the tables, the append-only ones included."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            TransactionTestCase, "_fixture_teardown", lambda _: empty_the_tables()
        )
        yield


@pytest.fixture
def committed(transactional_db) -> None:
    """Real commits, seen by other processes; the tables are emptied afterwards."""


@pytest.fixture(autouse=True)
def fresh_protection_status() -> None:
    """Let no test see what the database of an earlier one refused."""
    protection.known.clear()


def ensure_worker() -> None:
    """Put the worker's account back where an earlier test emptied the tables."""
    if not User.objects.filter(kind="service").exists():
        migration = import_module("apps.accounts.migrations.0002_worker")
        migration.create_worker(apps, None)


@pytest.fixture(autouse=True)
def worker_account(request) -> None:
    if {"db", "transactional_db"} & set(request.fixturenames):
        request.getfixturevalue("db")
        ensure_worker()
