"""Approval policies: versioned data files, checked when they are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from apps.access.permissions import Permission
from apps.access.roles import PROJECT_ROLES
from apps.approvals.practices import practices
from apps.projects.models import Impact, Project
from apps.registry.models import CARD_SECTIONS
from engine.spec import PROMISES, SpecError, decode

MOST_DAYS = 3_650
STANDARD = "standard"
# The determination of a project decides which policy applies.
OF_IMPACT: dict[str, str] = {Impact.HIGH: "high_impact"}
FOLDER = Path(__file__).parent / "policies"
SIGNING_ROLES = frozenset(
    role.slug
    for role in PROJECT_ROLES
    if Permission.APPROVAL_SIGN_OFF in role.permissions
)


class PolicyFaulty(Exception):
    """A policy file cannot be used; the message says where and why."""


@dataclass(frozen=True)
class PolicyStage:
    """One step of a policy.

    Args:
        title: what people call the step.
        role: slug of the project role that signs.
        required: how many people must sign.
        meaning: what a signature of this step states.
        due_days: days from its turn on until its signers are late.
        comment: whether a signature needs words.
    """

    title: str
    role: str
    required: int
    meaning: str
    due_days: int | None = None
    comment: Literal["optional", "always"] = "optional"


@dataclass(frozen=True)
class Conditions:
    """Whether signatures may be given under conditions.

    Args:
        allowed: whether at all.
        max_days: the latest day on which one may fall due, counted from signing.
    """

    allowed: bool = True
    max_days: int = 90


@dataclass(frozen=True)
class Policy:
    """Who must sign, in which order.

    Args:
        name: of the file.
        version: raised with every change of the file.
        title: what people call it.
        stages: signed one after the other.
        required_sections: of the model card, without which nobody asks.
        required_checks: measures and checks that the report must have passed.
        required_practices: minimum practices that are settled or waived, or nobody
            asks.
        request_days: after so many a request that nobody decided lapses.
        validity_days: after so many an approval expires.
        conditions: under which signatures may be given.
    """

    name: str
    version: int
    title: str
    stages: tuple[PolicyStage, ...]
    required_sections: tuple[str, ...] = ()
    required_checks: tuple[str, ...] = ()
    required_practices: tuple[str, ...] = ()
    request_days: int | None = None
    validity_days: int | None = None
    conditions: Conditions = Conditions()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, to be frozen into a request."""
        return {
            **asdict(self),
            "stages": [asdict(stage) for stage in self.stages],
            "required_sections": list(self.required_sections),
            "required_checks": list(self.required_checks),
            "required_practices": list(self.required_practices),
        }


def policy_for(project: Project) -> Policy:
    """Give the policy under which versions of a project's models are approved."""
    return load_policy(OF_IMPACT.get(project.impact, STANDARD))


@cache
def load_policy(name: str) -> Policy:
    """Read the policy `name` from its file.

    Raises:
        PolicyFaulty: the file is missing or says something impossible.
    """
    try:
        text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PolicyFaulty(f"There is no policy named {name}.") from error
    return read_policy(text)


def read_policy(text: str) -> Policy:
    """Build a policy from the text of its file.

    Raises:
        PolicyFaulty: a field is missing, unknown or impossible.
    """
    try:
        policy: Policy = decode(Policy, yaml.safe_load(text))
    except (yaml.YAMLError, SpecError) as error:
        raise PolicyFaulty(f"The policy cannot be read: {error}") from error
    _check(policy)
    return policy


def _check(policy: Policy) -> None:
    where = f"Policy {policy.name}"
    if policy.version < 1:
        raise PolicyFaulty(f"{where}: version must be a whole number from 1.")
    for field in ("request_days", "validity_days"):
        _check_days(getattr(policy, field), f"{where}: {field}")
    _check_known(policy.required_sections, CARD_SECTIONS, f"{where}: required_sections")
    _check_known(policy.required_checks, PROMISES, f"{where}: required_checks")
    _check_known(policy.required_practices, practices(), f"{where}: required_practices")
    _check_days(policy.conditions.max_days, f"{where}: conditions.max_days")
    if not policy.stages:
        raise PolicyFaulty(f"{where}: there must be at least one stage.")
    for stage in policy.stages:
        if stage.role not in SIGNING_ROLES:
            raise PolicyFaulty(
                f"{where}: {stage.title} names the role {stage.role}, which may not "
                f"sign. Use one of: {', '.join(sorted(SIGNING_ROLES))}."
            )
        _check_days(stage.due_days, f"{where}: due_days of {stage.title}")
        if stage.required < 1:
            raise PolicyFaulty(f"{where}: {stage.title} must require 1 or more.")
        if not stage.title or not stage.meaning:
            raise PolicyFaulty(f"{where}: each stage needs a title and a meaning.")


def _check_known(names: Iterable[str], known: Iterable[str], where: str) -> None:
    choices = list(known)
    for name in names:
        if name not in choices:
            nearest = get_close_matches(name, choices, n=1)
            hint = f"Did you mean {nearest[0]}?" if nearest else "Use one of: "
            listed = "" if nearest else f"{', '.join(choices)}."
            raise PolicyFaulty(f"{where} names {name}, which is none. {hint}{listed}")


def _check_days(days: int | None, where: str) -> None:
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise PolicyFaulty(f"{where} must be 1 to {MOST_DAYS:,} days.")
