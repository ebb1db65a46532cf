"""What the specs of all verbs have in common."""

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from engine.spec.decode import decode, require, require_between
from engine.spec.estimator import Task

MEBIBYTE = 1024 * 1024
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Limits:
    """What a job may use at most; `None` is no limit.

    Attributes:
        memory_bytes: what the process may allocate; a small training needs 400 MiB.
        cpu_seconds: processor time over all threads.
        file_bytes: size of any one file it writes.
        wall_seconds: time until the process group is killed; kept by the portal.
    """

    memory_bytes: int | None = None
    cpu_seconds: int | None = None
    file_bytes: int | None = None
    wall_seconds: int | None = None

    def __post_init__(self) -> None:
        memory, cpu, file = self.memory_bytes, self.cpu_seconds, self.file_bytes
        enough = memory is None or memory >= 512 * MEBIBYTE
        require(
            enough, "memory_bytes", "must be at least 512 MiB; libraries need that."
        )
        require(cpu is None or cpu >= 1, "cpu_seconds", "must be at least 1.")
        enough = file is None or file >= MEBIBYTE
        require(enough, "file_bytes", "must be at least 1 MiB.")
        enough = self.wall_seconds is None or self.wall_seconds >= 1
        require(enough, "wall_seconds", "must be at least 1.")


@dataclass(frozen=True)
class Cost:
    """What each kind of error costs the mission, in the mission's own unit."""

    false_alarm: float
    miss: float

    def __post_init__(self) -> None:
        require(self.false_alarm >= 0, "false_alarm", "must not be negative.")
        require(self.miss >= 0, "miss", "must not be negative.")
        some = self.false_alarm + self.miss > 0
        require(some, "miss", "must be above 0 when a false alarm costs nothing.")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What every verb has in common.

    Attributes:
        threads: how many the numerical libraries may use; part of the spec because
            the last digits of a sum can depend on it.
    """

    verb: ClassVar[str]
    threads: int = 1
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        require_between(self.threads, 1, 256, "threads")

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Build the spec from parsed JSON.

        Raises:
            SpecError: a field is missing, unknown or wrong; names it and the fix.
        """
        spec: Self = decode(cls, data)
        return spec

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` of them gives an equal spec."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def check_positive(task: Task, label: str | None) -> None:
    if task == "binary":
        named = label is not None
        require(named, "positive_label", "must name the value that counts as positive.")
    else:
        require(
            label is None, "positive_label", "is for binary targets only; use null."
        )
