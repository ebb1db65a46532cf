"""Paths of artifacts: whose they are, and that they stay there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from apps.mlflow_api.errors import INVALID, MlflowError, absent

if TYPE_CHECKING:
    from apps.experiments.models import Run
    from apps.mlflow_api.caller import Caller

MOST_ROUNDS = 8
_OF_RUN = re.compile(
    r"(?P<experiment>[0-9a-f]{32})/(?P<run>[0-9a-f]{32})/artifacts(?:/(?P<rest>.*))?",
    re.DOTALL,
)


def safe_path(path: str) -> str:
    """Take a path that means the same however often somebody decodes it.

    Raises:
        MlflowError: it leaves its folder, or could be read in another way.
    """
    for each in _readings(path):
        parts = each.split("/")
        if ".." in parts or "\\" in each or "#" in each or each.startswith("/"):
            raise MlflowError(
                INVALID, "Invalid path: it must be relative and stay in its folder."
            )
    return path


def owner_of(caller: Caller, path: str) -> tuple[Run, str]:
    """Say which run a path belongs to, and where in that run it points.

    Raises:
        MlflowError: the path is not safe, or the caller sees no such run.
    """
    found = _OF_RUN.fullmatch(safe_path(path).rstrip("/"))
    if found is None:
        raise absent("No artifacts are kept under this path.")
    run = caller.run(found["run"])
    if run.experiment_id.hex != found["experiment"]:
        raise absent("No artifacts are kept under this path.")
    return run, found["rest"] or ""


def _readings(path: str) -> list[str]:
    readings = [path]
    while (decoded := unquote(readings[-1])) != readings[-1]:
        readings.append(decoded)
        if len(readings) > MOST_ROUNDS:
            raise MlflowError(INVALID, "Invalid path: it is encoded too often.")
    return readings
