"""What the verb `fingerprint` is told."""

from dataclasses import dataclass
from typing import ClassVar

from engine.spec.common import Spec


@dataclass(frozen=True, kw_only=True)
class FingerprintSpec(Spec):
    """Compute the fingerprint of `inputs/data.parquet`.

    Attributes:
        unordered: also when rows may come in any order; None lets the size decide.
    """

    verb: ClassVar[str] = "fingerprint"
    unordered: bool | None = None
