"""Verb `run_code`: call the entry function of somebody's own project.

The code may do to this process what it likes, so nothing that this verb reports is
believed beyond what a run may claim of itself: figures and files. Whether there is a
model among the files is for the verb `check_code` to say, once this process is gone.
"""

import math
import sys
import traceback
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path, PurePosixPath
from typing import Any

from engine.folder import EngineError, Folder, Json
from engine.spec.code import RunCodeSpec

PROJECT = "project.zip"
DATA = "data.parquet"
MOST_FRAMES = 20
MOST_METRICS = 10_000


@dataclass
class Context:
    """What the entry function is given, as its only argument.

    Attributes:
        data: path of the data, a Parquet file.
        output: folder for everything that shall be kept, such as `model.skops` with
            `signature.json`.
        parameters: as asked for at the launch.
        seed: use it for whatever is drawn by chance.
    """

    data: Path
    output: Path
    parameters: Mapping[str, Any]
    seed: int
    _folder: Folder
    history: list[Json] = field(default_factory=list)

    def progress(self, ratio: float, stage: str) -> None:
        """Say how far it is, 0 to 1, and what it does."""
        self._folder.progress(ratio, stage)

    def log(self, line: str) -> None:
        """Add a line to the log that people read."""
        self._folder.log(str(line))

    def metric(self, key: str, value: float, step: int = 0) -> None:
        """Keep a figure; with steps it becomes a curve.

        Raises:
            ValueError: it is no finite number, or there are too many.
        """
        value, step = float(value), int(step)
        if not math.isfinite(value) or len(self.history) >= MOST_METRICS:
            raise ValueError(f"{key} is not finite, or there are too many figures.")
        self.history.append({"key": str(key), "value": value, "step": step})
        self._folder.metric(str(key), step, value)


def run(spec: RunCodeSpec, folder: Folder) -> Json:
    """Unpack the project, call its function, and return the figures it gave.

    Raises:
        EngineError: packages or files are missing, or the code failed; `details` say
            where in the project.
    """
    check_installed(spec.requirements)
    place = folder.path / "tmp" / "project"
    unpack(folder.require_input(PROJECT), place)
    sys.path.insert(0, str(place))
    context = Context(
        data=folder.require_input(DATA),
        output=folder.outputs,
        parameters=spec.parameters,
        seed=spec.seed,
        _folder=folder,
    )
    folder.progress(0.0, "Running the project")
    given = _call(spec.entry, context, place)
    final = {point["key"]: point["value"] for point in context.history}
    return {"metrics": final | _figures(given), "metric_history": context.history}


def check_installed(requirements: Mapping[str, str]) -> None:
    """Check that each package is here in exactly the version that is asked for.

    Raises:
        EngineError: some are not; each is named with the version that is here.
    """
    details = []
    for name, version in requirements.items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = None
        if found != version:
            details.append({"package": name, "wanted": version, "installed": found})
    if details:
        first = details[0]
        here = first["installed"] or "not installed"
        raise EngineError(
            f"The project needs {first['package']} {first['wanted']}, and here it is "
            f"{here}. Lock the versions of this portal, or ask an operator.",
            details=details,
        )


def unpack(archive: Path, place: Path) -> None:
    """Unpack plain files below `place`; the portal checked their sizes.

    Raises:
        EngineError: a name leads elsewhere.
    """
    with zipfile.ZipFile(archive) as project:
        for entry in project.infolist():
            name = PurePosixPath(entry.filename)
            if name.is_absolute() or ".." in name.parts:
                raise EngineError(f"{entry.filename} does not belong into a project.")
            if not entry.is_dir():
                target = place / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(project.read(entry))


def _call(entry: str, context: Context, place: Path) -> Any:
    module, _, function = entry.partition(":")
    try:
        called: Callable[[Context], Any] = getattr(import_module(module), function)
        return called(context)
    except MemoryError:
        raise
    except BaseException as error:  # whatever people's code raises, exits included
        raise _failed(error, place) from error


def _failed(error: BaseException, place: Path) -> EngineError:
    """Say where in the project its code failed."""
    frames = [
        {"file": str(Path(frame.filename).relative_to(place)), "line": frame.lineno}
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(place)
    ]
    where = f" in {frames[-1]['file']}, line {frames[-1]['line']}" if frames else ""
    said = f"{type(error).__name__}: {error}"[:500].rstrip(": .")
    return EngineError(
        f"The code failed{where}: {said}.", details=frames[-MOST_FRAMES:]
    )


def _figures(given: Any) -> dict[str, float]:
    """Read what the function returned: nothing, or figures by name.

    Raises:
        EngineError: it is something else.
    """
    if given is None:
        return {}
    try:
        figures = {str(key): float(value) for key, value in given.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise EngineError(
            "The function must return figures by name, such as {'accuracy': 0.9}, or "
            "nothing."
        ) from error
    if not all(map(math.isfinite, figures.values())):
        raise EngineError("One of the figures that the function returned is no number.")
    return figures
