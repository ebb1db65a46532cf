"""Plans and reports, made through actions with an engine result written by hand."""

import copy
from pathlib import Path
from typing import Any

from apps.accounts.actions import service_account
from apps.core.sandbox import Outcome
from apps.jobs.actions import start_job
from apps.validation import actions
from apps.validation.models import Finding, ValidationPlan, ValidationReport

CRITERIA = [
    {"measure": "recall", "operator": ">=", "threshold": 0.6, "blocking": True},
    {"measure": "brier", "operator": "<=", "threshold": 0.2, "blocking": False},
]


def _measure(
    slug: str, title: str, value: float, unit: str = "ratio"
) -> dict[str, Any]:
    return {
        "measure": slug,
        "title": title,
        "value": value,
        "low": value * 0.9,
        "high": value * 1.1,
        "unit": unit,
    }


MEASURES = [
    _measure("roc_auc", "Area under the ROC curve", 0.81),
    _measure("precision", "Precision", 0.4),
    _measure("recall", "Recall", 0.7),
    _measure("brier", "Brier score", 0.08),
    _measure("mission_cost_per_1000", "Mission cost per 1,000 cases", 900.0, "cost"),
]
RESULT: dict[str, Any] = {
    "status": "succeeded",
    "rows": 200,
    "positives": 40,
    "threshold": 0.3,
    "measures": MEASURES,
    "confusion": {"labels": ["no", "yes"], "matrix": [[118, 42], [12, 28]]},
    "curves": {
        "roc": [[0.0, 0.0], [0.2, 0.7], [1.0, 1.0]],
        "precision_recall": [[0.0, 1.0], [0.7, 0.4], [1.0, 0.2]],
        "calibration": [
            {"mean_predicted": 0.1, "fraction_positive": 0.12, "count": 150},
            {"mean_predicted": 0.6, "fraction_positive": 0.5, "count": 50},
        ],
        "cost": [
            {"threshold": 0.0, "cost_per_1000": 1600.0},
            {"threshold": 0.3, "cost_per_1000": 900.0},
            {"threshold": 1.0, "cost_per_1000": 4000.0},
        ],
    },
    "mission": {
        "cost_per_1000": 900.0,
        "low": 810.0,
        "high": 990.0,
        "do_nothing_per_1000": 4000.0,
        "flag_everything_per_1000": 1600.0,
        "baseline_per_1000": 2000.0,
        "saving_vs_do_nothing_ratio": 0.775,
        "best_threshold": 0.25,
    },
    "subgroups": [
        {
            "column": "phase",
            "groups": [
                {
                    "group": group,
                    "rows": rows,
                    "positives": rows // 5,
                    "small": rows < 30,
                    "measures": {
                        name: {"value": 0.6, "low": 0.4, "high": 0.8}
                        for name in (
                            "recall",
                            "precision",
                            "false_positive_rate",
                            "selection_rate",
                        )
                    },
                }
                for group, rows in (("climb", 180), ("taxi", 20))
            ],
        }
    ],
    "importance": [{"feature": "speed", "mean": 0.08, "std": 0.01}],
    "champion": None,
}


def engine_result(verdict: str = "pass", **changes: Any) -> dict[str, Any]:
    """What the engine answers; the checks fit `verdict`."""
    checks = [
        {
            "measure": "recall",
            "title": "Recall",
            "operator": ">=",
            "threshold": 0.6,
            "blocking": True,
            "value": None if verdict == "not_tested" else 0.7,
            "low": None if verdict == "not_tested" else 0.63,
            "high": None if verdict == "not_tested" else 0.77,
            "verdict": verdict,
            "reason": "No positive rows." if verdict == "not_tested" else "",
        },
        {
            "measure": "brier",
            "title": "Brier score",
            "operator": "<=",
            "threshold": 0.05,
            "blocking": False,
            "value": 0.08,
            "low": 0.07,
            "high": 0.09,
            "verdict": "warn",
            "reason": "",
        },
    ]
    return copy.deepcopy({**RESULT, "checks": checks, "verdict": verdict, **changes})


def plan(model, by, criteria=CRITERIA, **kwargs: Any) -> ValidationPlan:
    """A plan of `model` with two criteria."""
    values = {"subgroup_columns": [], "reason": "", **kwargs}
    return actions.write_plan(model=model, criteria=criteria, by=by, **values)


def requested_report(version, by) -> ValidationReport:
    """A report on `version` that waits for a worker, with a plan if need be."""
    if not version.model.validation_plans.exists():
        plan(version.model, by)
    return actions.request_report(version=version, by=by)


def running_report(version, by) -> ValidationReport:
    """A report on `version` that the worker has claimed."""
    report = requested_report(version, by)
    return start_job(model=ValidationReport, pk=report.pk, by=service_account())


def finish(report: ValidationReport, outcome: Outcome) -> ValidationReport:
    """Hand `outcome` to the action as the worker does."""
    return actions.finish_report(job=report, outcome=outcome, by=service_account())


def finished_report(
    version, by, verdict: str = "pass", **changes: Any
) -> ValidationReport:
    """A report on `version` that says `verdict`.

    Args:
        version: measured.
        by: a validator or data scientist, who asked for it.
        verdict: pass, fail or not_tested.
        changes: parts of the engine's result to replace.
    """
    result = engine_result(verdict, **changes)
    outcome = Outcome("succeeded", Path(), result=result)
    return finish(running_report(version, by), outcome)


def failed_report(version, by) -> ValidationReport:
    """A report on `version` that could not be computed."""
    message = "The target holds a value that the model does not know."
    outcome = Outcome("failed", Path(), code="bad_input", message=message)
    return finish(running_report(version, by), outcome)


def finding(version, by, owner, **wish: Any) -> Finding:
    """Something that `by` holds against `version`; `owner` must answer."""
    values = {
        "title": "Misses hawks",
        "text": "Recall is 0.4 where the species is Hawk.",
        "severity": "high",
        **wish,
    }
    wanted = actions.NewFinding(owner=owner, **values)
    return actions.raise_finding(version=version, wish=wanted, by=by)
