"""The demo: services, migrations, content, then every process in one terminal.

python -m dev.demo      PORT=8000 changes the port
"""

import hashlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from dev.problem import ROOT, Problem, require_disk, run_command
from dev.processes import Group, Stopped, stopping_on_signals
from dev.server import HOST, kept_secret
from dev.services import (
    Services,
    addresses,
    only_user_of,
    require_running,
    services,
)

FOLDER = ROOT / "var" / "demo"
EXAMPLES = ROOT / "node_modules" / "vega-datasets" / "data"
STATIC_SOURCES = ("static", "package-lock.json", "requirements")
WEB = (
    "gunicorn mlops_portal.wsgi:application --workers 2 --threads 4 --timeout 120"
    " --keep-alive 0 --limit-request-line 8190 --no-control-socket"
)
WORKER = "celery --quiet -A mlops_portal worker --loglevel INFO"
BEAT = "celery --quiet -A mlops_portal beat --loglevel INFO"
SEALER = ("seal_audit_trail",)


def main() -> int:
    if sys.argv[1:] == ["--reset"]:
        return reset()
    port = os.environ.get("PORT", "8000")
    require_port(port)
    FOLDER.mkdir(parents=True, exist_ok=True)
    require_disk(FOLDER, 1)
    try:
        with stopping_on_signals():
            print("Starting Postgres and Valkey ...", flush=True)
            with services(FOLDER) as running:
                _serve(port, running)
    except Stopped:
        print("Stopped. `make demo` goes on with the same data.")
    return 0


def reset() -> int:
    """Delete the demo's data, unless the demo is running."""
    if FOLDER.exists():
        with only_user_of(FOLDER):
            shutil.rmtree(FOLDER)
    print("The demo's data is deleted.")
    return 0


def require_port(port: str) -> None:
    """Refuse a port that is no number or that another program listens on."""
    if not port.isdigit():
        raise Problem(f"PORT is {port!r}; give a number, for example PORT=8001.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(port)))
        except (OSError, OverflowError):
            raise Problem(
                f"Port {port} is taken or not allowed. Stop the program that uses it, "
                "or choose another port: make demo PORT=8001"
            ) from None


def environment(urls: dict[str, str], *, folder: Path = FOLDER) -> dict[str, str]:
    """Give the demo's processes their settings."""
    own = {
        "PORTAL_MODE": "demo",
        "SECRET_KEY": kept_secret(folder / "secret.key", prefix="demo-"),
        "STORAGE_URL": f"file://{folder / 'blobs'}",
        "JOBS_DIR": str(folder / "jobs"),
        "UPLOADS_DIR": str(folder / "uploads"),
        "DATA_SOURCES": f"agency_archive={EXAMPLES}",
        "AUDIT_SIGNING_KEY_FILE": str(folder / "sealer" / "signing.key"),
        "PYTHONUNBUFFERED": "1",
    }
    return os.environ | own | urls


def database_roles(url: str, *, folder: Path = FOLDER) -> dict[str, dict[str, str]]:
    """Give the owner, the application and the sealer what they connect to `url` with.

    A server that somebody else runs keeps its one role: nothing is given then.
    """
    if "DATABASE_URL" in os.environ:
        return {"owner": {}, "app": {}, "sealer": {}}
    secrets = {
        kind: kept_secret(folder / f"{kind}.password") for kind in ("app", "sealer")
    }
    passwords = {
        f"DATABASE_{kind.upper()}_PASSWORD": secret for kind, secret in secrets.items()
    }
    return {
        "owner": {"DATABASE_URL": url, **passwords},
        **{
            kind: {"DATABASE_URL": _address_of(f"portal_{kind}", secret, url)}
            for kind, secret in secrets.items()
        },
    }


def _address_of(role: str, password: str, url: str) -> str:
    parts = urlsplit(url)
    place = f"{role}:{password}@{parts.hostname}:{parts.port}"
    return parts._replace(netloc=place).geturl()


def _serve(port: str, running: Services) -> None:
    urls = addresses(running)
    roles = database_roles(urls["DATABASE_URL"])
    env = environment(urls | roles["app"])
    check = partial(require_running, running)
    with Group(env=env, cwd=ROOT, also_check=check) as group:
        group.run("migrate", _manage("migrate", "--verbosity=0"), roles["owner"])
        if roles["owner"]:
            group.run("protect", _manage("protect_audit_trail"), roles["owner"])
        _collect_static_files(group)
        group.start("worker", _module(WORKER))
        group.start("sealer", _manage(*SEALER), roles["sealer"])
        group.run("seed", _manage("seed_demo"))
        group.start("web", _module(f"{WEB} --bind {HOST}:{port}"))
        group.start("beat", _module(f"{BEAT} --schedule {FOLDER / 'beat-schedule'}"))
        group.wait(until=lambda: _answers(port))
        print(welcome(port, json.loads((FOLDER / "access.json").read_text())))
        group.wait()


def _answers(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, int(port))) == 0


def _module(command: str) -> list[str]:
    return [sys.executable, "-m", *command.split()]


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def _collect_static_files(group: Group) -> None:
    """Collect static files unless nothing they come from has changed."""
    stamp = FOLDER / "static.stamp"
    now = fingerprint(ROOT / name for name in STATIC_SOURCES)
    is_current = stamp.exists() and stamp.read_text() == now
    if is_current and (ROOT / "staticfiles" / "staticfiles.json").exists():
        return
    group.run("static", _manage("collectstatic", "--no-input", "--clear", "-v0"))
    stamp.write_text(now)


def fingerprint(roots: Iterable[Path]) -> str:
    """Sum up names, sizes and times of all files below some folders."""
    digest = hashlib.sha256()
    for root in roots:
        for path in sorted([root, *root.rglob("*")]):
            facts = path.stat()
            digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def welcome(port: str, access: dict[str, dict[str, str]]) -> str:
    """Word what the person at the terminal sees when everything is up."""
    rows = [("role", "e-mail", "password")]
    rows += [(role, who["email"], who["password"]) for role, who in access.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    table = "\n".join(
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return (
        f"\n{table}\n\nThe portal is at http://{HOST}:{port} (tokens for its API: "
        f"{FOLDER.relative_to(ROOT)}/access.json). Ctrl-C stops it.\n"
    )


if __name__ == "__main__":
    run_command(main)
