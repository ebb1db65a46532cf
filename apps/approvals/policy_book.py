"""Which policy applies where: the one the agency put in force, else the shipped one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING, cast

from apps.approvals.models import PolicyEnactment, PolicyVersion
from apps.approvals.policies import (
    EMERGENCY,
    SHIPPED,
    AnyPolicy,
    EmergencyPolicy,
    Policy,
    PolicyFaulty,
    read_policy,
    shipped_text,
)
from apps.core.errors import Invalid
from apps.projects.models import Impact

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.projects.models import Project

STANDARD = "standard"
# The determination of a project decides which policy applies.
OF_IMPACT: dict[str, str] = {Impact.HIGH: "high_impact"}


@dataclass(frozen=True)
class InForce:
    """The policy that applies under a name.

    Attributes:
        text: of it.
        enactment: by which it was put in force; None for the shipped one.
    """

    name: str
    text: str
    enactment: PolicyEnactment | None

    @property
    def policy(self) -> AnyPolicy:
        """What the text says.

        Raises:
            PolicyFaulty: it names something that the portal no longer knows.
        """
        return read_policy(self.text)

    @property
    def is_readable(self) -> bool:
        """Say whether requests can be made under it."""
        try:
            return bool(self.policy)
        except PolicyFaulty:
            return False


def policy_for(project: Project) -> Policy:
    """Give the policy under which versions of a project's models are approved.

    Raises:
        PolicyFaulty: it names something that the portal no longer knows.
    """
    found = in_force(OF_IMPACT.get(project.impact, STANDARD)).policy
    return cast("Policy", found)  # a name decides of which kind its texts are


def emergency_policy() -> EmergencyPolicy:
    """Give the terms of emergency approvals.

    Raises:
        Invalid: they cannot be read.
    """
    return cast("EmergencyPolicy", readable(in_force(EMERGENCY).text))


def in_force(name: str) -> InForce:
    """Give what applies under the name of a shipped policy.

    Raises:
        KeyError: there is no policy of this name.
    """
    text = shipped_text(name)
    newest = PolicyEnactment.objects.filter(version__name=name).order_by("-pk")
    enactment = newest.select_related("version", "enacted_by").first()
    return InForce(name, enactment.version.text if enactment else text, enactment)


def all_in_force() -> list[InForce]:
    """Give what applies under every name."""
    return [in_force(name) for name in SHIPPED]


def versions_of(name: str) -> QuerySet[PolicyVersion]:
    """List what was written under a name, with who wrote it."""
    return PolicyVersion.objects.filter(name=name).select_related("written_by")


def next_number(name: str) -> int:
    """Return the number that the next version under a name must have."""
    shipped = read_policy(shipped_text(name)).version
    newest = versions_of(name).order_by("-number").first()
    return max(shipped, newest.number if newest else 0) + 1


def checked_policy(name: str, text: str) -> AnyPolicy:
    """Read a text that shall become the next version under a name.

    Raises:
        Invalid: it cannot be read, or its name or number is another one.
    """
    policy = readable(text)
    if policy.name != name:
        raise _invalid(f"The text is named {policy.name}; write name: {name}.")
    if policy.version != (expected := next_number(name)):
        raise _invalid(f"Write version: {expected}; each text has its own number.")
    return policy


def rehearsable(text: str) -> Policy:
    """Read a text whose stages past requests can be replayed under.

    Raises:
        Invalid: it cannot be read, or has no stages.
    """
    policy = readable(text)
    if isinstance(policy, EmergencyPolicy):
        raise _invalid("Terms of emergencies have no stages to rehearse.")
    return policy


def readable(text: str) -> AnyPolicy:
    """Read a text that somebody sent.

    Raises:
        Invalid: it cannot be read; with every fault and its line.
    """
    try:
        return read_policy(text)
    except PolicyFaulty as error:
        raise _invalid(str(error)) from error


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, fields={"text": sentence})


def renumbered(text: str, number: int) -> str:
    """Write another number into a text, so that it can be the next version."""
    return re.sub(r"^version:.*$", f"version: {number}", text, count=1, flags=re.M)


@dataclass(frozen=True)
class DiffLine:
    """A line of a comparison: `kind` is added, removed, same or place."""

    kind: str
    text: str


def differences(before: str, after: str) -> list[DiffLine]:
    """Compare two texts line by line; empty when they are the same."""
    return list(_diff_lines(before, after))


def _diff_lines(before: str, after: str) -> Iterator[DiffLine]:
    kinds = {"+": "added", "-": "removed", "@": "place", " ": "same"}
    found = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
    for place, line in enumerate(found):
        if place > 1:  # the first two name the files
            yield DiffLine(kinds[line[0]], line if line[0] == "@" else line[1:])
