"""A database that can be stopped dead and started again, apart from the tests' own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from dev.postgres import postgres
from dev.server import free_port


class OwnDatabase:
    """A Postgres with the portal's tables, at one address in all its lives.

    It waits for the disk at each commit: what it acknowledged survives a stop.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.start()

    def start(self) -> None:
        self._life = ExitStack()
        self._server = self._life.enter_context(
            postgres(self._folder, throw_away=False, port=self._port)
        )
        self.url = self._server.url

    def stop_at_once(self) -> None:
        """Stop without a word to those connected, as Postgres calls immediate."""
        self._server.process.send_signal(signal.SIGQUIT)
        self._server.process.wait()
        self.stop()

    def stop(self) -> None:
        self._life.close()

    def log(self) -> str:
        """Return what the server wrote in its present life."""
        return self._server.log.read_text()


@pytest.fixture
def own_database(committed) -> Iterator[OwnDatabase]:
    """Our own database, which this process uses as well until the test ends."""
    with TemporaryDirectory(prefix="portal-") as folder:
        Path(folder).chmod(0o711)  # the account of the database passes
        own = OwnDatabase(Path(folder))
        try:
            _migrate(own.url)
            with _used_here(own.url):
                yield own
        finally:
            own.stop()


def _migrate(url: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url},
        check=True,
    )


@contextmanager
def _used_here(url: str) -> Iterator[None]:
    before, address = dict(connection.settings_dict), urlsplit(url)
    connection.close()
    connection.settings_dict.update(
        NAME=address.path[1:],
        HOST=address.hostname,
        PORT=address.port,
        USER=address.username,
        PASSWORD=address.password,
    )
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)
