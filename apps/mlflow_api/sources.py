"""Where the files of a version come from, as clients name it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from apps.mlflow_api.errors import INVALID, MlflowError
from apps.mlflow_api.file_owners import ModelFiles, RunFiles, VersionFiles, owner_of
from apps.mlflow_api.paths import safe_path
from apps.mlflow_api.registry_names import find_version
from apps.registry.actions import Origin

if TYPE_CHECKING:
    from apps.experiments.models import LoggedModel
    from apps.mlflow_api.caller import Caller

_OF_RUN = re.compile(r"runs:/+(?P<run>[0-9a-f]{32})(?:/(?P<root>.*))?", re.DOTALL)
_OF_LOGGED = re.compile(
    r"models:/+(?P<model>m-[0-9a-f]{32})(?:/(?P<root>.*))?", re.DOTALL
)
_OF_VERSION = re.compile(r"models:/+(?P<name>.+)/(?P<number>[0-9]+)", re.DOTALL)
_STORED = re.compile(r"mlflow-artifacts:/(?://)?(?P<path>[^/].*)", re.DOTALL)
_FORMS = (
    "Give runs:/<run>/<path>, models:/<model id>, models:/<name>/<version>, or an "
    "address that begins with mlflow-artifacts:/ and lies in a run or a logged model."
)


def origin_of(caller: Caller, source: str, run_id: str, model_id: str) -> Origin:
    """Find what a source names, and see that it is what the request names, too.

    Args:
        caller: who must see it.
        source: an address of files in the portal.
        run_id: of the run that it must lie in; empty where none is named.
        model_id: of the logged model that it must be, as for `run_id`.

    Raises:
        MlflowError: it is none of the portal's, leaves its run or model, or is another
            than what is named.
    """
    run = caller.run(run_id) if run_id else None
    logged = caller.logged_model(model_id) if model_id else None
    origin = _named(caller, source)
    if origin.copied:
        return replace(origin, source=source)
    if logged and origin.logged_model != logged:
        raise _mismatch(source, f"the model {model_id}")
    if run and origin.run and origin.run != run:
        raise _mismatch(source, f"the run {run_id}")
    return replace(origin, run=origin.run or run, source=source)


def _named(caller: Caller, source: str) -> Origin:
    if match := _OF_RUN.fullmatch(source):
        return Origin(run=caller.run(match["run"]), root=_root(match["root"]))
    if match := _OF_LOGGED.fullmatch(source):
        logged = caller.logged_model(match["model"])
        return _of_logged(logged, _root(match["root"]))
    if match := _OF_VERSION.fullmatch(source):
        return Origin(copied=find_version(caller, match["name"], match["number"]))
    if match := _STORED.fullmatch(source):
        owner, root = owner_of(caller, match["path"])
        if isinstance(owner, VersionFiles) and not root:
            return Origin(copied=owner.version)
        if isinstance(owner, ModelFiles):
            return _of_logged(owner.model, _root(root))
        if isinstance(owner, RunFiles):
            return Origin(run=owner.run, root=_root(root))
    raise MlflowError(
        INVALID,
        f"Invalid model version source: '{source[:200]}'. The portal registers only "
        f"files that it keeps. {_FORMS}",
    )


def _of_logged(logged: LoggedModel, root: str) -> Origin:
    return Origin(run=logged.source_run, logged_model=logged, root=root)


def _root(text: str | None) -> str:
    return safe_path((text or "").rstrip("/"))


def _mismatch(source: str, named: str) -> MlflowError:
    return MlflowError(
        INVALID,
        f"Invalid model version source: '{source[:200]}'. It does not lie in {named}, "
        f"which the request names. {_FORMS}",
    )
