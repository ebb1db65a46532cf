"""Projects for tests: each connection to a socket gets one, with a token for it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, UnixStreamServer

from django.db import connection

from apps.accounts.actions import create_first_administrator, create_person, issue_token
from apps.accounts.models import User
from apps.projects.actions import add_member, create_project


@contextmanager
def giving(place: Path) -> Iterator[Path]:
    """Answer each connection to the socket `place` with a token."""
    manager, scientist = _people()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(_token(manager, scientist).encode())

    with UnixStreamServer(str(place), Handler) as server:
        thread = threading.Thread(target=_serve, args=[server])
        thread.start()
        try:
            yield place
        finally:
            server.shutdown()
            thread.join()


def _serve(server: UnixStreamServer) -> None:
    try:
        server.serve_forever()
    finally:
        connection.close()


def _people() -> tuple[User, User]:
    def password() -> str:
        return secrets.token_urlsafe(24)

    administrator = create_first_administrator(
        email="administrator@tests.example", full_name="Admin", password=password()
    )
    manager, scientist = (
        create_person(
            email=f"{name}@tests.example",
            full_name=name.title(),
            password=password(),
            agency_roles=roles,
            by=administrator,
        )
        for name, roles in (("manager", ("program_manager",)), ("scientist", ()))
    )
    connection.close()
    return manager, scientist


def _token(manager: User, scientist: User) -> str:
    slug = f"p-{secrets.token_hex(8)}"
    project = create_project(
        slug=slug, name=slug, mission="Run a test of MLflow.", by=manager
    )
    add_member(project=project, person=scientist, role="data_scientist", by=manager)
    return issue_token(
        name="MLflow", scope="write", days=1, by=scientist, default_project=slug
    )[1]
