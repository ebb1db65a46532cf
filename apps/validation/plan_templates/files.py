"""Plan templates as they are written in their files, checked when they are read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import yaml

from apps.core.errors import Invalid
from apps.projects.models import Impact, Project
from apps.validation.criteria import MAX_CRITERIA, OPERATORS, check_criteria
from engine.spec import MEASURES, PROMISES, SpecError, Task, decode

FOLDER = Path(__file__).parent
TARGET_OF = "mission_cost_per_1000"
Known = Literal["baseline", "target"]


class PlanTemplateFaulty(Exception):
    """A file of a plan template cannot be used; the message says where and why."""


@dataclass(frozen=True)
class TemplateCriterion:
    """One criterion to start from.

    Attributes:
        measure: slug of a measure or check.
        threshold: a number, or where to look it up before any result is seen.
        blocking: whether it must hold.
    """

    measure: str
    threshold: float | Known
    blocking: bool = True


@dataclass(frozen=True)
class PlanTemplate:
    """Criteria for models of any task; those that do not apply are left out.

    Attributes:
        name: of the file.
        version: raised with every change of the file.
        title: what people call it.
        summary: what it asks for.
        criteria: in the order of the form.
        notes: what whoever starts from it must do themselves.
    """

    name: str
    version: int
    title: str
    summary: str
    criteria: tuple[TemplateCriterion, ...]
    notes: tuple[str, ...] = ()

    def criteria_for(self, task: Task) -> list[TemplateCriterion]:
        """List what can be asked of a model of `task`."""
        return [one for one in self.criteria if task in PROMISES[one.measure].tasks]


@cache
def plan_templates() -> dict[str, PlanTemplate]:
    """Read every template, by the name of its file.

    Raises:
        PlanTemplateFaulty: a file says something impossible.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.yaml"), reverse=True):
        template = read_template(path.read_text(encoding="utf-8"))
        if template.name != path.stem:
            raise PlanTemplateFaulty(
                f"{path.name}: name must be that of the file, {path.stem}."
            )
        found[template.name] = template
    return found


def template_for(project: Project) -> PlanTemplate:
    """Give the template of the project's impact; until it is determined, of low one."""
    name = "high_impact" if project.impact == Impact.HIGH else "low_impact"
    return plan_templates()[name]


def read_template(text: str) -> PlanTemplate:
    """Build a template from the text of its file.

    Raises:
        PlanTemplateFaulty: a field is missing, unknown or impossible.
    """
    try:
        template: PlanTemplate = decode(PlanTemplate, yaml.safe_load(text))
    except (yaml.YAMLError, SpecError) as error:
        raise PlanTemplateFaulty(f"The template cannot be read: {error}") from error
    where = f"Plan template {template.name}"
    if template.version < 1:
        raise PlanTemplateFaulty(f"{where}: version must be a whole number from 1.")
    for place, criterion in enumerate(template.criteria):
        _check_criterion(criterion, f"{where}: criteria[{place}]")
    for task in get_args(Task):
        _check_task(template, task, where)
    return template


def _check_criterion(criterion: TemplateCriterion, where: str) -> None:
    slug, threshold = criterion.measure, criterion.threshold
    if slug not in PROMISES:
        raise PlanTemplateFaulty(f"{where} names {slug}, which nobody measures.")
    if threshold == "target" and slug != TARGET_OF:
        raise PlanTemplateFaulty(f"{where}: only {TARGET_OF} has a target.")
    if threshold == "baseline" and slug not in MEASURES:
        raise PlanTemplateFaulty(f"{where}: {slug} is no measure, so has no baseline.")
    if isinstance(threshold, str):
        return
    promise = PROMISES[slug]
    raw = {
        "measure": slug,
        "operator": OPERATORS[promise.better],
        "threshold": threshold,
    }
    try:
        check_criteria([{**raw, "blocking": True}], promise.tasks[0])
    except Invalid as error:
        raise PlanTemplateFaulty(f"{where}: {error.message}") from error


def _check_task(template: PlanTemplate, task: Task, where: str) -> None:
    found = template.criteria_for(task)
    if not any(criterion.blocking for criterion in found):
        raise PlanTemplateFaulty(f"{where}: nothing must hold of a {task} model.")
    if len(found) > MAX_CRITERIA:
        raise PlanTemplateFaulty(
            f"{where}: a plan has at most {MAX_CRITERIA} criteria; {len(found)} apply "
            f"to a {task} model."
        )
    twice = Counter((criterion.measure, criterion.blocking) for criterion in found)
    for (slug, _), times in twice.items():
        if times > 1:
            raise PlanTemplateFaulty(f"{where}: {slug} stands twice.")
