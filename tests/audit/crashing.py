"""A database of its own under load, whose sealer and server are struck down."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import Error, connection, transaction

from apps.audit.event_types import EventType
from apps.audit.record import NOBODY, record
from apps.audit.signing import SealerFiles
from apps.audit.transparency.checkpoint import parse_checkpoint
from apps.audit.transparency.note import Verifier, open_note
from apps.audit.transparency.tree import Edge, leaf_hash
from dev.postgres import postgres
from dev.server import Server

WRITERS = 6
ROLLED_BACK, LONG = 0.1, 0.02  # shares of the transactions
LONG_SECONDS, SHORT_SECONDS = 1.5, 0.02  # at most, between INSERT and COMMIT
LATER = 0.3  # share of the kills that wait for the first seal
LIFE_SECONDS = 0.3  # of a sealer after that, at most
PATIENCE = 60


class RolledBack(Exception):
    """The business changed its mind."""


@dataclass
class Trail:
    """The database, who writes to it, and what they believe.

    Attributes:
        folder: of the database and of the files that the processes leave.
        unblock: lets a child use the database, as pytest-django does not.
    """

    folder: Path
    unblock: Callable[[], object]
    chance: random.Random = field(default_factory=lambda: random.Random(3))
    lives: int = 0

    @classmethod
    @contextmanager
    def apart(cls, unblock: Callable[[], object]) -> Iterator["Trail"]:
        """Make one in a folder that the account of the database may pass.

        The children must not inherit a session of the database of other tests.
        """
        connection.close()
        with TemporaryDirectory(prefix="portal-") as folder:
            Path(folder).chmod(0o711)
            yield cls(Path(folder), unblock)

    @property
    def files(self) -> SealerFiles:
        return SealerFiles(self.folder / "sealer" / "signing.key")

    def live_and_crash(self, *, kills: int) -> None:
        """Write and seal; kill the sealer so many times, then stop the server dead."""
        self.lives += 1
        with self._server() as server:
            writers = [
                self._start(server, write, self.folder / f"{self.lives}.{seed}.written")
                for seed in range(WRITERS)
            ]
            watcher = self._start(server, watch, self.files, self.folder / "notes")
            for _ in range(kills):
                self._seal_for_a_while(server)
            last = self._at_work(server)
            server.process.send_signal(signal.SIGQUIT)
            server.process.wait(PATIENCE)
        for writer in writers:
            writer.join(PATIENCE)
            assert writer.exitcode == 0
        for process in (last, watcher):
            process.kill()
            process.join()

    def finish(self) -> "Outcome":
        """Seal what is left, and read everything."""
        with self._server() as server:
            sealer = self._start(server, seal_the_rest)
            sealer.join(PATIENCE)
            assert sealer.exitcode == 0, self._log()
            with closing(psycopg.connect(server.url)) as session:
                rows = session.execute(ORDERED).fetchall()
                notes = {note for (note,) in session.execute(NOTES)}
                [total] = session.execute(TOTAL).fetchone()
        notes |= set((self.folder / "notes").read_text().split("\0")) - {""}
        written = [path.read_text().split() for path in self.folder.glob("*.written")]
        return Outcome(
            acknowledged=[name for names in written for name in names],
            total=total,
            leaves=[(index, name) for index, name, _ in rows],
            bodies=[body for *_, body in rows],
            notes=notes,
            vkey=self.files.signer().vkey,
        )

    @contextmanager
    def _server(self) -> Iterator[Server]:
        with postgres(self.folder, throw_away=False) as server:
            migration = self._start(server, migrate)
            migration.join(PATIENCE)
            assert migration.exitcode == 0
            yield server

    def _seal_for_a_while(self, server: Server) -> None:
        sealer = self._at_work(server)
        os.kill(sealer.pid, signal.SIGKILL)
        sealer.join()
        assert sealer.exitcode == -signal.SIGKILL, self._log()

    def _at_work(self, server: Server) -> BaseProcess:
        """Start a sealer, and wait for a moment in its first pass or in a later one."""
        before, deadline = self.files.last_note(), time.monotonic() + PATIENCE
        is_ready = get_context("fork").Event()
        sealer = self._start(server, seal, is_ready)
        assert is_ready.wait(PATIENCE)
        if self.chance.random() < LATER:
            while self.files.last_note() == before:
                assert sealer.is_alive(), self._log()
                assert time.monotonic() < deadline
                time.sleep(0.002)
        time.sleep(self.chance.random() * LIFE_SECONDS)
        return sealer

    def _log(self) -> str:
        return (self.folder / "processes.log").read_text()[-2000:]

    def _start(self, server: Server, work: Callable, *arguments) -> BaseProcess:
        key_file = self.files.key_file
        child = partial(_as_child, self.unblock, server.url, key_file, work, *arguments)
        process = get_context("fork").Process(target=child, daemon=True)
        process.start()
        return process


@dataclass(frozen=True)
class Outcome:
    """What is there in the end, and what was believed on the way."""

    acknowledged: list[str]
    total: int
    leaves: list[tuple[int, str]]
    bodies: list[str]
    notes: set[str]
    vkey: str

    def require_sound(self) -> None:
        """Hold that nothing acknowledged is lost or doubled, and no promise broken."""
        names = [name for _, name in self.leaves]
        assert len(names) == len(set(names)) == self.total
        assert [index for index, _ in self.leaves] == list(range(self.total))
        assert len(self.acknowledged) == len(set(self.acknowledged))
        assert not set(self.acknowledged) - set(names)
        verifier, edge = Verifier(self.vkey), Edge()
        opened = [open_note(note, [verifier])[0] for note in self.notes]
        stated = {one.size: one.root for one in map(parse_checkpoint, opened)}
        assert len(stated) == len(self.notes)
        assert stated.pop(0, edge.root()) == edge.root()
        for body in self.bodies:
            edge.append(leaf_hash(body.encode()))
            assert stated.pop(edge.size, edge.root()) == edge.root()
        assert not stated


ORDERED = """
SELECT leaf_index, event_id::text, body
FROM audit_leaf LEFT JOIN audit_auditevent AS event ON event.id = event_pk
ORDER BY leaf_index
"""
NOTES = "SELECT note FROM audit_checkpoint"
TOTAL = "SELECT count(*) FROM audit_auditevent"


def migrate() -> None:
    call_command("migrate", "audit", verbosity=0)


def seal(is_ready: Event) -> None:
    is_ready.set()
    call_command("seal_audit_trail", "--seconds", "0.01")


def seal_the_rest() -> None:
    call_command("seal_audit_trail", "--once")


def write(file: Path) -> None:
    """Record events until the server is gone; note those whose commit came back."""
    own = random.Random(file.name)
    with file.open("w") as acknowledged:
        while True:
            try:
                name = _write_one(own)
            except RolledBack:
                continue
            except Error:
                return
            acknowledged.write(f"{name}\n")
            acknowledged.flush()


@transaction.atomic
def _write_one(own: random.Random) -> str:
    event = record(EventType.ACCESS_FAILED, target=None, project=None, by=NOBODY)
    is_long = own.random() < LONG
    time.sleep(own.random() * (LONG_SECONDS if is_long else SHORT_SECONDS))
    if own.random() < ROLLED_BACK:
        raise RolledBack
    return str(event.event_id)


def watch(files: SealerFiles, target: Path) -> None:
    """Keep every checkpoint that ever went out."""
    last = ""
    with target.open("a") as seen:
        while True:
            if (note := files.last_note()) != last:
                seen.write(f"{note}\0")
                seen.flush()
                last = note
            time.sleep(0.002)


def _as_child(
    unblock: Callable[[], object],
    url: str,
    key_file: Path,
    work: Callable[..., None],
    *arguments: object,
) -> None:
    address = urlsplit(url)
    connection.settings_dict.update(
        NAME=address.path[1:],
        HOST=address.hostname,
        PORT=address.port,
        USER=address.username,
        PASSWORD=address.password,
    )
    settings.AUDIT_SIGNING_KEY_FILE = key_file
    unblock()
    with (
        (key_file.parents[1] / "processes.log").open("a") as log,
        redirect_stdout(log),
        redirect_stderr(log),
    ):
        work(*arguments)
