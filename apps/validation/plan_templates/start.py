"""The criteria of a template, with what is known before any report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.experiments.models import Metric
from apps.projects.models import Direction
from apps.validation.criteria import OPERATORS, title_of
from apps.validation.queries import has_costs, known_question_of, objective_of
from engine.spec import PROMISES

if TYPE_CHECKING:
    from apps.registry.models import ModelVersion
    from apps.validation.plan_templates.files import PlanTemplate

BASELINE = "baseline."
MISSION_COST = "mission_cost_per_1000"


@dataclass(frozen=True)
class Start:
    """Criteria to start from.

    Attributes:
        criteria: as the form and `write_plan` take them.
        left_out: titles of what the template asks for and has no threshold here.
    """

    criteria: list[dict[str, Any]]
    left_out: list[str]


def start_from(template: PlanTemplate, version: ModelVersion) -> Start:
    """Propose the criteria of `template` for the model of `version`.

    The mission's target must be met, and doing without a model must be beaten: such
    thresholds are looked up, and left out where nothing is known.
    """
    known = _known_thresholds(version)
    criteria, left_out = [], []
    for one in template.criteria_for(known_question_of(version).task):
        is_word = isinstance(one.threshold, str)
        threshold = known.get(one.measure) if is_word else one.threshold
        if threshold is None:
            left_out.append(title_of(one.measure))
            continue
        criteria.append(
            {
                "measure": one.measure,
                "operator": OPERATORS[PROMISES[one.measure].better],
                "threshold": threshold,
                "blocking": one.blocking,
            }
        )
    return Start(criteria, left_out)


def _known_thresholds(version: ModelVersion) -> dict[str, float]:
    """Map measures to what the run reached without a model, or to the target."""
    metrics = Metric.objects.filter(run=version.run_id, key__startswith=BASELINE)
    reached = {
        key.removeprefix(BASELINE): value
        for key, value in metrics.values_list("key", "value")
    }
    objective = objective_of(version.project)
    if objective and has_costs(objective) and objective.direction == Direction.LOWER:
        reached[MISSION_COST] = objective.target
    return {
        slug: float(f"{value:.3g}") for slug, value in reached.items() if value >= 0
    }
