"""What the verb `verify` is told."""

from dataclasses import dataclass
from typing import ClassVar

from engine.spec.train import TrainSpec


@dataclass(frozen=True, kw_only=True)
class VerifySpec(TrainSpec):
    """Compare a training that was repeated, told by the same `spec.json`."""

    verb: ClassVar[str] = "verify"
