"""A project, its mission and what it is to gain."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.access.roles import PROGRAM_MANAGER
from apps.audit.event_types import EventType
from apps.audit.record import difference, record
from apps.core.errors import Invalid
from apps.projects import rules
from apps.projects.models import Direction, Impact, Membership, Objective, Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User

PROJECT_FIELDS = ("name", "mission")
# Addresses below /projects/ that are not projects.
RESERVED_SLUGS = frozenset({"create"})


@dataclass(frozen=True)
class ObjectiveStatement:
    """What the mission is to gain.

    Args:
        measure: what is measured, such as "cost of inspections per 1,000 strikes".
        unit: of the measure and of both costs, such as "hours" or "USD".
        direction: higher or lower is better.
        baseline: the measure today.
        target: the measure that is promised.
        false_alarm_cost: of one false alarm, in `unit`, not negative.
        miss_cost: of one missed case, in `unit`, not negative.
    """

    measure: str
    unit: str
    direction: str
    baseline: float
    target: float
    false_alarm_cost: float
    miss_cost: float


@transaction.atomic
def create_project(*, slug: str, name: str, mission: str, by: User) -> Project:
    """Open a project; who opens it becomes its program manager.

    Raises:
        Invalid: the slug is taken or has capital letters.
        Refused: only a program manager may.
    """
    ensure(rules.can_create_project(by))
    if slug in RESERVED_SLUGS:
        raise _taken(slug)
    if slug != slug.lower():
        sentence = "A short name has lower-case letters, digits and hyphens."
        raise Invalid(sentence, fields={"slug": sentence})
    try:
        with transaction.atomic():
            project = Project.objects.create(
                slug=slug, name=name, mission=mission, created_by=by
            )
    except IntegrityError as error:
        raise _taken(slug) from error
    Membership.objects.create(project=project, user=by, role=PROGRAM_MANAGER.slug)
    record(EventType.PROJECT_CREATED, target=project, project=project, by=by)
    return project


def _taken(slug: str) -> Invalid:
    return Invalid(
        f"The short name {slug} is taken.",
        fields={"slug": "Already in use; choose another."},
    )


@transaction.atomic
def edit_project(*, project: Project, values: Mapping[str, str], by: User) -> Project:
    """Change name and mission statement.

    Args:
        project: which.
        values: new `name` and `mission`; a missing one stays.
        by: a program manager of the project.

    Raises:
        Refused: only its program manager may.
    """
    project = Project.objects.select_for_update().get(pk=project.pk)
    ensure(rules.can_edit_project(by, project))
    before = {name: getattr(project, name) for name in PROJECT_FIELDS}
    wanted = {name: values[name] for name in PROJECT_FIELDS if name in values}
    changes = difference(before, wanted)
    if changes:
        for name, (_, value) in changes.items():
            setattr(project, name, value)
        project.save()
        record(
            EventType.PROJECT_EDITED,
            target=project,
            project=project,
            by=by,
            changes=changes,
        )
    return project


@transaction.atomic
def state_objective(
    *, project: Project, statement: ObjectiveStatement, by: User
) -> Objective:
    """State what the mission gains and what each kind of error costs.

    Raises:
        Invalid: a number is not finite, a cost is negative, or the target is no gain.
        Refused: only the program manager may.
    """
    project = Project.objects.select_for_update().get(pk=project.pk)
    ensure(rules.can_state_objective(by, project))
    _check_statement(statement)
    values = asdict(statement)
    former = Objective.objects.filter(project=project).first()
    before = {name: getattr(former, name) for name in values} if former else {}
    changes = difference(before, values)
    objective = former or Objective(project=project)
    if changes:
        for name, value in values.items():
            setattr(objective, name, value)
        objective.updated_at = timezone.now()
        objective.save()
        record(
            EventType.PROJECT_OBJECTIVE_STATED,
            target=project,
            project=project,
            by=by,
            changes=changes,
        )
    return objective


def _check_statement(statement: ObjectiveStatement) -> None:
    faults = {
        name: "Enter a finite number; a cost cannot be negative."
        for name in ("baseline", "target", "false_alarm_cost", "miss_cost")
        if not math.isfinite(getattr(statement, name))
        or (name.endswith("_cost") and getattr(statement, name) < 0)
    }
    if statement.direction not in Direction.values:
        faults["direction"] = "Choose whether higher or lower is better."
    gain = statement.target - statement.baseline
    if statement.direction == Direction.LOWER:
        gain = -gain
    if not faults and gain <= 0:
        faults["target"] = "The target must be better than the baseline."
    if faults:
        raise Invalid("The objective needs correcting; see the fields.", fields=faults)


@transaction.atomic
def determine_impact(
    *, project: Project, impact: str, reason: str, by: User
) -> Project:
    """Determine whether the use is high-impact.

    Raises:
        Invalid: unknown answer, or no reason given.
        Refused: only an AI official may.
    """
    project = Project.objects.select_for_update().get(pk=project.pk)
    ensure(rules.can_determine_impact(by, project))
    if impact not in {Impact.HIGH, Impact.NOT_HIGH}:
        raise Invalid(
            "Choose high-impact or not high-impact.",
            fields={"impact": "Unknown answer."},
        )
    if not reason.strip():
        raise Invalid(
            "Give the reason of the determination.", fields={"reason": "Missing."}
        )
    if (impact, reason) == (project.impact, project.impact_reason):
        return project
    changes = difference({"impact": project.impact}, {"impact": impact})
    project.impact = impact
    project.impact_reason = reason
    project.save()
    record(
        EventType.PROJECT_IMPACT_DETERMINED,
        target=project,
        project=project,
        by=by,
        changes=changes,
        reason=reason,
    )
    return project


@transaction.atomic
def set_code_policy(*, project: Project, allows_code: bool, by: User) -> Project:
    """Say whether people may run their own code on the project's data.

    Raises:
        Refused: only its program manager may.
    """
    project = Project.objects.select_for_update().get(pk=project.pk)
    ensure(rules.can_set_code_policy(by, project))
    if project.allows_code != allows_code:
        changes = {"allows_code": [project.allows_code, allows_code]}
        project.allows_code = allows_code
        project.save(update_fields=["allows_code"])
        record(
            EventType.PROJECT_CODE_POLICY_SET,
            target=project,
            project=project,
            by=by,
            changes=changes,
        )
    return project
