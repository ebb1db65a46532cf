"""One spec per verb of the engine: what the portal writes into `spec.json`."""

from collections.abc import Mapping

from engine.spec.code import (
    CheckCodeSpec,
    RunCodeSpec,
    UnbundleSpec,
    VerifyCodeSpec,
)
from engine.spec.common import Spec
from engine.spec.compare import CompareSpec
from engine.spec.evaluate import EvaluateSpec
from engine.spec.fingerprint import FingerprintSpec
from engine.spec.ingest import IngestSpec
from engine.spec.train import TrainSpec
from engine.spec.verify import VerifySpec

SPECS: Mapping[str, type[Spec]] = {
    spec.verb: spec
    for spec in (
        IngestSpec,
        TrainSpec,
        EvaluateSpec,
        FingerprintSpec,
        CompareSpec,
        UnbundleSpec,
        RunCodeSpec,
        CheckCodeSpec,
        VerifyCodeSpec,
        VerifySpec,
    )
}
