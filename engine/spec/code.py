"""Specs of `unbundle`, `run_code` and `check_code`: people's own projects."""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from engine.spec.common import LARGEST_SEED, Spec
from engine.spec.decode import require, require_between

ENTRY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class UnbundleSpec(Spec):
    """Make `outputs/project.zip` of one commit of `inputs/project.bundle`.

    Attributes:
        ref: a branch or tag; "" is HEAD, or the only one there is.
        max_files: files that the commit may hold.
        max_bytes: size of all of them together.
    """

    verb: ClassVar[str] = "unbundle"
    ref: str = ""
    max_files: int
    max_bytes: int


@dataclass(frozen=True, kw_only=True)
class RunCodeSpec(Spec):
    """Run somebody's own project on a dataset version.

    `inputs/project.zip` is the project and `inputs/data.parquet` the data.

    Attributes:
        entry: the function that is called, as `module:function`.
        parameters: what it is given beside the data.
        seed: for whatever the project draws by chance.
        requirements: the packages it needs, each with the only version that will do.
    """

    verb: ClassVar[str] = "run_code"
    entry: str
    parameters: dict[str, bool | int | float | str] = field(default_factory=dict)
    seed: int = 0
    requirements: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        fits = ENTRY.fullmatch(self.entry) is not None
        require(fits, "entry", "must be module:function, such as train:main.")
        require_between(self.seed, 0, LARGEST_SEED, "seed")


@dataclass(frozen=True, kw_only=True)
class CheckCodeSpec(Spec):
    """Look at what a project left in `outputs/`, after all its processes ended.

    Attributes:
        asked: what the project was run by; with it a record is written, from which
            the run can be done again.
        inputs: SHA-256 of each file that was in `inputs/`, by name.
        metrics: the last value of each figure that the project gave.
    """

    verb: ClassVar[str] = "check_code"
    asked: RunCodeSpec | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class VerifyCodeSpec(RunCodeSpec):
    """Compare a project that was run again, told by the same `spec.json`."""

    verb: ClassVar[str] = "verify_code"
