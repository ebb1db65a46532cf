"""Run MLflow's own tests, unchanged, against a portal.

    python -m dev.mlflow_tests [--stock] CHECKOUT PYTHON [ARGUMENTS OF PYTEST]

CHECKOUT is a copy of MLflow's repository, and PYTHON belongs to a virtual environment
with mlflow, pytest, pytest-asyncio and pytest-timeout. A portal and its services are
started for the run and thrown away afterwards. Where a test would start a server of
MLflow's own, it gets this portal, with a new project and a token of its own. With
`--stock`, tests of MLflow's stores ask a server of MLflow's own instead, to compare.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import django

from dev.problem import ROOT, Problem, run_command
from dev.processes import stopping_on_signals
from dev.server import HOST, free_port, running_server
from dev.services import throw_away_environment

PLUGIN = Path(__file__).parent / "plugin"
WEB = "gunicorn mlops_portal.wsgi:application --threads 12 --no-control-socket"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.mlflow_tests")
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("python", type=Path)
    asked, rest = parser.parse_known_args()
    checkout = asked.checkout.resolve()
    if not (checkout / "tests" / "tracking").is_dir():
        raise Problem(f"{checkout} holds no tests of MLflow; give a checkout.")
    command = [str(asked.python.absolute()), "-m", "pytest"]
    if asked.stock:
        return _run([*command, "-p", "stock_for_mlflow", *rest], checkout, {})
    with (
        stopping_on_signals(),
        tempfile.TemporaryDirectory(prefix="mlflow-tests-") as folder,
        throw_away_environment() as env,
        _portal(env, Path(folder)) as url,
        _projects(env, Path(folder)) as giver,
    ):
        own = {"PORTAL_URL": url, "PORTAL_PROJECTS": str(giver), "HOME": folder}
        return _run([*command, "-p", "portal_for_mlflow", *rest], checkout, own)


def _run(command: list[str], checkout: Path, own: dict[str, str]) -> int:
    env = _plain(checkout) | own
    return subprocess.run(command, cwd=checkout, env=env, check=False).returncode


@contextmanager
def _portal(env: dict[str, str], folder: Path) -> Iterator[str]:
    """Run the migrations, then a web server; give its address."""
    migrate = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0"]
    subprocess.run(migrate, env=env, check=True)
    port = free_port()

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    bind = f"--bind={HOST}:{port}"
    command = [sys.executable, "-m", *WEB.split(), f"--chdir={ROOT}", bind]
    url, log = f"http://{HOST}:{port}", folder / "web.log"
    with running_server(command, url=url, log=log, answers=listens, env=env):
        yield url


@contextmanager
def _projects(env: dict[str, str], folder: Path) -> Iterator[Path]:
    """Give a project to whoever connects to a socket, and a token for it."""
    os.environ.update(env, DJANGO_SETTINGS_MODULE="mlops_portal.settings")
    django.setup()
    with import_module("dev.mlflow_tests.projects").giving(folder / "socket") as place:
        yield place


def _plain(checkout: Path) -> dict[str, str]:
    """The environment of MLflow's tests, which knows nothing of the portal's."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(PLUGIN), str(checkout)]),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "GIT_PYTHON_REFRESH": "quiet",
    }


if __name__ == "__main__":
    run_command(main)
