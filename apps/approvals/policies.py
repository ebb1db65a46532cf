"""The language of approval policies: what a text may say, and where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.access.permissions import Permission
from apps.access.roles import PROJECT_ROLES
from apps.approvals.practices import practices
from apps.core.plain_yaml import YamlFault, load_yaml
from apps.registry.models import CARD_SECTIONS
from engine.spec import PROMISES, SpecError, decode

MOST_CHARACTERS = 20_000
MOST_DAYS = 3_650
MOST_STAGES = 10
MOST_PEOPLE = 20
_MOST_WORDS = {"title": 120, "meaning": 200}
FOLDER = Path(__file__).parent / "policies"
SHIPPED = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))
SIGNING_ROLES = frozenset(
    role.slug
    for role in PROJECT_ROLES
    if Permission.APPROVAL_SIGN_OFF in role.permissions
)


@dataclass(frozen=True)
class PolicyFault:
    """One thing that is wrong with the text of a policy.

    Attributes:
        line: where, from 1.
        problem: what is wrong and how to fix it.
    """

    line: int
    problem: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.problem}"


class PolicyFaulty(Exception):
    """A policy cannot be used.

    Attributes:
        faults: everything that is wrong, from top to bottom.
    """

    def __init__(self, faults: Iterable[PolicyFault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.line)
        super().__init__(" ".join(map(str, self.faults)))


@dataclass(frozen=True)
class PolicyStage:
    """One step of a policy.

    Args:
        title: what people call the step.
        role: slug of the project role that signs.
        required: how many people must sign.
        meaning: what a signature of this step states.
        people: e-mail addresses of those holders of the role who may sign; empty means
            every holder.
        due_days: days from its turn on until its signers are late.
        comment: whether a signature needs words.
    """

    title: str
    role: str
    required: int
    meaning: str
    people: tuple[str, ...] = ()
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

    @property
    def section_titles(self) -> list[str]:
        """What people call the sections that must not be empty."""
        return [CARD_SECTIONS[name] for name in self.required_sections]

    @property
    def practice_titles(self) -> list[str]:
        """What people call the practices that must be settled."""
        known = practices()
        return [known[name].title for name in self.required_practices]

    @property
    def check_titles(self) -> list[str]:
        """What people call the checks that must be passed."""
        return [PROMISES[name].title for name in self.required_checks]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, to be frozen into a request."""
        return {
            **asdict(self),
            "stages": [
                asdict(stage) | {"people": list(stage.people)} for stage in self.stages
            ],
            "required_sections": list(self.required_sections),
            "required_checks": list(self.required_checks),
            "required_practices": list(self.required_practices),
        }


@dataclass(frozen=True)
class EmergencyPolicy:
    """On what terms a version may serve for a short time without its signatures.

    Args:
        name: of the file.
        version: raised with every change of the file.
        title: what people call it.
        most_hours: within so many it must be confirmed.
        confirmations: by so many others.
        confirmed_days: confirmed, it holds for so many days from when it was given.
        quiet_days: within so many there is no second one for the same version.
    """

    name: str
    version: int
    title: str
    most_hours: int
    confirmations: int
    confirmed_days: int
    quiet_days: int

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, to be frozen into an emergency approval."""
        return asdict(self)


AnyPolicy = Policy | EmergencyPolicy
EMERGENCY = "emergency"  # the name of the one policy of its kind
_EMERGENCY_RANGES = {
    "most_hours": (1, 168),
    "confirmations": (2, 10),
    "confirmed_days": (1, 90),
    "quiet_days": (0, MOST_DAYS),
}


@cache
def shipped_text(name: str) -> str:
    """Return the text of the policy `name` that the portal comes with.

    Raises:
        KeyError: it comes with none of this name.
    """
    if name not in SHIPPED:
        raise KeyError(name)
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def read_policy(text: str) -> AnyPolicy:
    """Build a policy from its text.

    Raises:
        PolicyFaulty: it cannot be read, or says something impossible.
    """
    if len(text) > MOST_CHARACTERS:
        problem = f"A policy has at most {MOST_CHARACTERS:,} characters."
        raise PolicyFaulty([PolicyFault(1, problem)])
    try:
        said = load_yaml(text)
        is_emergency = isinstance(said, dict) and said.get("name") == EMERGENCY
        policy: AnyPolicy = decode(EmergencyPolicy if is_emergency else Policy, said)
    except YamlFault as fault:
        raise PolicyFaulty([PolicyFault(fault.line, fault.problem)]) from fault
    except SpecError as error:
        problem = error.problem
        if error.field == "spec":
            problem = "A policy is a list of fields, such as name: and stages:."
        found = _located(text, [(error.field, f"{error.field} {problem}")])
        raise PolicyFaulty(found) from error
    if faults := list(_faults(policy)):
        raise PolicyFaulty(_located(text, faults))
    return policy


# A path in the text, such as `stages[1].role`, and what is wrong there.
Fault = tuple[str, str]


def _faults(policy: AnyPolicy) -> Iterator[Fault]:
    if policy.version < 1:
        yield "version", "version must be a whole number from 1."
    if not policy.title.strip():
        yield "title", "Give the policy a title."
    yield from _too_long(policy.title, "title")
    if isinstance(policy, EmergencyPolicy):
        yield from _wrong_terms(policy)
    else:
        yield from _wrong_policy(policy)


def _wrong_terms(policy: EmergencyPolicy) -> Iterator[Fault]:
    for field, (low, high) in _EMERGENCY_RANGES.items():
        if not low <= getattr(policy, field) <= high:
            yield field, f"{field} must be {low} to {high:,}."


def _wrong_policy(policy: Policy) -> Iterator[Fault]:
    for field in ("request_days", "validity_days"):
        yield from _wrong_days(getattr(policy, field), field)
    yield from _wrong_days(policy.conditions.max_days, "conditions.max_days")
    yield from _unknown(policy.required_sections, CARD_SECTIONS, "required_sections")
    yield from _unknown(policy.required_checks, PROMISES, "required_checks")
    yield from _unknown(policy.required_practices, practices(), "required_practices")
    if not 1 <= len(policy.stages) <= MOST_STAGES:
        yield "stages", f"There must be 1 to {MOST_STAGES} stages."
    for place, stage in enumerate(policy.stages):
        yield from _wrong_stage(stage, f"stages[{place}]")


def _wrong_stage(stage: PolicyStage, where: str) -> Iterator[Fault]:
    if not stage.title.strip() or not stage.meaning.strip():
        yield where, "Each stage needs a title and a meaning."
    yield from _too_long(stage.title, f"{where}.title")
    yield from _too_long(stage.meaning, f"{where}.meaning")
    yield from _unknown([stage.role], sorted(SIGNING_ROLES), f"{where}.role")
    if stage.required < 1:
        yield f"{where}.required", f"{stage.title} must require 1 or more signatures."
    if stage.people and stage.required > len(stage.people):
        problem = (
            f"{stage.title} requires {stage.required} signatures of "
            f"{len(stage.people)} people, so it could never be complete."
        )
        yield f"{where}.required", problem
    yield from _wrong_people(stage.people, f"{where}.people")
    yield from _wrong_days(stage.due_days, f"{where}.due_days")


def _wrong_people(people: tuple[str, ...], where: str) -> Iterator[Fault]:
    if len(people) > MOST_PEOPLE:
        yield where, f"Name at most {MOST_PEOPLE} people."
    if len({address.lower() for address in people}) < len(people):
        yield where, "Somebody is named twice."
    for place, address in enumerate(people):
        try:
            validate_email(address)
        except ValidationError:
            problem = f"{address!r} is no e-mail address, by which people are named."
            yield f"{where}[{place}]", problem


def _too_long(words: str, where: str) -> Iterator[Fault]:
    most = _MOST_WORDS[where.rpartition(".")[2]]
    if len(words) > most:
        yield where, f"Use at most {most} characters."


def _unknown(names: Iterable[str], known: Iterable[str], where: str) -> Iterator[Fault]:
    choices = list(known)
    for place, name in enumerate(names):
        if name not in choices:
            nearest = get_close_matches(name, choices, n=1)
            hint = f"Did you mean {nearest[0]}?" if nearest else ""
            listed = "" if nearest else f"Use one of: {', '.join(choices)}."
            spot = where if where.endswith("role") else f"{where}[{place}]"
            yield spot, f"{name!r} cannot stand in {where}. {hint}{listed}"


def _wrong_days(days: int | None, where: str) -> Iterator[Fault]:
    if days is not None and not 1 <= days <= MOST_DAYS:
        yield where, f"{where} must be 1 to {MOST_DAYS:,} days."


def _located(text: str, faults: Iterable[Fault]) -> list[PolicyFault]:
    """Find the line of each fault, or of what it is missing in."""
    # The text was read by `load_yaml` before, which refuses what could grow.
    root = yaml.compose(text, yaml.SafeLoader)
    return [PolicyFault(_line(root, path), problem) for path, problem in faults]


def _line(node: yaml.Node | None, path: str) -> int:
    mark = node.start_mark if node else None
    for step in re.findall(r"[^.\[\]]+", path):
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == step), None)
        elif isinstance(node, yaml.SequenceNode) and step.isdecimal():
            items = node.value[int(step) : int(step) + 1]
            found = next(((item, item) for item in items), None)
        if found is None:
            break
        mark, node = found[0].start_mark, found[1]
    return mark.line + 1 if mark else 1
