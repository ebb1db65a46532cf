"""What a job is told to do: plain dataclasses and catalogues, standard library only.

This is the one part of the engine that the portal imports. Forms are drawn from
`ESTIMATORS` and `MEASURES`; jobs are described by `IngestSpec`, `TrainSpec` and
`EvaluateSpec`, which refuse a wrong value when they are made, naming field and fix.
"""

from engine.spec.common import Cost, Limits, Spec
from engine.spec.decode import SpecError, decode
from engine.spec.estimator import Estimator, Parameter, Scalar, Task
from engine.spec.estimators import ESTIMATORS, complete_parameters
from engine.spec.evaluate import Criterion, EvaluateSpec
from engine.spec.ingest import IngestSpec
from engine.spec.measures import MEASURES, Measure, measures_for
from engine.spec.seal import HIGHEST_RATIO, LOWEST_RATIO, Seal
from engine.spec.train import Feature, Search, TrainSpec
from engine.spec.verbs import SPECS

__all__ = [
    "ESTIMATORS",
    "HIGHEST_RATIO",
    "LOWEST_RATIO",
    "MEASURES",
    "SPECS",
    "Cost",
    "Criterion",
    "Estimator",
    "EvaluateSpec",
    "Feature",
    "IngestSpec",
    "Limits",
    "Measure",
    "Parameter",
    "Scalar",
    "Seal",
    "Search",
    "Spec",
    "SpecError",
    "Task",
    "TrainSpec",
    "complete_parameters",
    "decode",
    "measures_for",
]
