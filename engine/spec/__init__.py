"""What a job is told to do: plain dataclasses and catalogues, standard library only.

This is the one part of the engine that the portal imports. Forms are drawn from
`ESTIMATORS` and `MEASURES`; jobs are described by `IngestSpec`, `TrainSpec` and
`EvaluateSpec`, which refuse a wrong value when they are made, naming field and fix.
"""

from engine.spec.checks import (
    CHECKS,
    FAMILIES,
    PROMISES,
    CheckKind,
    family_of,
    promises_for,
)
from engine.spec.code import (
    CheckCodeSpec,
    RunCodeSpec,
    UnbundleSpec,
    VerifyCodeSpec,
)
from engine.spec.common import Cost, Limits, Spec
from engine.spec.compare import CompareSpec
from engine.spec.contract import COLUMN_TYPES, ColumnContract, Contract
from engine.spec.data import Feature, Images, Kind, Preprocessing, Split
from engine.spec.decode import SpecError, decode
from engine.spec.estimator import Estimator, Parameter, Scalar, Task
from engine.spec.estimators import ESTIMATORS, complete_parameters
from engine.spec.evaluate import Criterion, EvaluateSpec, Fact
from engine.spec.fingerprint import FingerprintSpec
from engine.spec.ingest import (
    COMPRESSION_ENDINGS,
    FORMAT_ENDINGS,
    IngestSpec,
    format_of,
)
from engine.spec.measures import MEASURES, Measure, measures_for
from engine.spec.proposal import propose_contract
from engine.spec.schema import training_schema
from engine.spec.seal import HIGHEST_RATIO, LOWEST_RATIO, Seal
from engine.spec.search import Search
from engine.spec.train import MISSION_COST, TrainSpec
from engine.spec.verbs import SPECS
from engine.spec.verify import VerifySpec

__all__ = [
    "CHECKS",
    "COLUMN_TYPES",
    "COMPRESSION_ENDINGS",
    "ESTIMATORS",
    "FAMILIES",
    "FORMAT_ENDINGS",
    "HIGHEST_RATIO",
    "LOWEST_RATIO",
    "MEASURES",
    "MISSION_COST",
    "PROMISES",
    "SPECS",
    "CheckCodeSpec",
    "CheckKind",
    "ColumnContract",
    "CompareSpec",
    "Contract",
    "Cost",
    "Criterion",
    "Estimator",
    "EvaluateSpec",
    "Fact",
    "Feature",
    "FingerprintSpec",
    "Images",
    "IngestSpec",
    "Kind",
    "Limits",
    "Measure",
    "Parameter",
    "Preprocessing",
    "RunCodeSpec",
    "Scalar",
    "Seal",
    "Search",
    "Spec",
    "SpecError",
    "Split",
    "Task",
    "TrainSpec",
    "UnbundleSpec",
    "VerifyCodeSpec",
    "VerifySpec",
    "complete_parameters",
    "decode",
    "family_of",
    "format_of",
    "measures_for",
    "promises_for",
    "propose_contract",
    "training_schema",
]
