"""Paths of artifacts: that they stay in their folder.

Clients compare the sentence of the refusal, so it is MLflow's.
"""

from urllib.parse import unquote

from apps.mlflow_api.errors import INVALID, MlflowError

MOST_ROUNDS = 8


def safe_path(path: str) -> str:
    """Take a path that means the same however often somebody decodes it.

    Raises:
        MlflowError: it leaves its folder, or could be read in another way.
    """
    for each in _readings(path):
        parts = each.split("/")
        if ".." in parts or "\\" in each or "#" in each or each.startswith("/"):
            raise MlflowError(INVALID, "Invalid path")
    return path


def _readings(path: str) -> list[str]:
    readings = [path]
    while (decoded := unquote(readings[-1])) != readings[-1]:
        readings.append(decoded)
        if len(readings) > MOST_ROUNDS:
            raise MlflowError(INVALID, "Invalid path")
    return readings
