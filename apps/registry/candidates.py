"""What of a run can be registered: all its files, a folder, a model that it logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from apps.experiments.models import LoggedModelStatus
from apps.registry.manifests import MLMODEL, MODEL_FILES
from apps.registry.pickles import has_pickle_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.experiments.models import LoggedModel, Run

WHOLE_RUN = "run"


class Candidate(NamedTuple):
    """Files that can become a version.

    Args:
        key: names it among those of its run.
        label: the same for people.
        root: a folder of the run; empty for all files.
        logged_model: whose files they are, if they are not the run's.
    """

    key: str
    label: str
    root: str = ""
    logged_model: LoggedModel | None = None


def candidates_of(run: Run) -> list[Candidate]:
    """List what can be registered of `run`, in two queries."""
    paths = list(run.artifacts.order_by("path").values_list("path", flat=True))
    ending = f"/{MLMODEL}"
    folders = [p.removesuffix(ending) for p in paths if p.endswith(ending)]
    known = set(folders)
    loose = [path for path in paths if known.isdisjoint(_folders_of(path))]
    found = []
    if any(map(_is_model, loose)):
        found.append(Candidate(WHOLE_RUN, "All files of the run"))
    found += [Candidate(one, f"The folder {one}", root=one) for one in folders]
    logged = run.logged_models.active().filter(status=LoggedModelStatus.READY)
    found += [
        Candidate(one.public_id, f"The logged model {one.name}", logged_model=one)
        for one in logged.order_by("created_at", "pk")
    ]
    return found


def _folders_of(path: str) -> Iterator[str]:
    """Name the folders that a file lies in, from the innermost on."""
    while path := path.rpartition("/")[0]:
        yield path


def _is_model(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name in (*MODEL_FILES, MLMODEL) or has_pickle_name(path)
