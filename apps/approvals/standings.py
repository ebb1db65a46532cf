"""How a version stands with the minimum practices: stated, waived, or neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.approvals.models import SETTLED, PracticeState, PracticeStatement, Waiver
from apps.approvals.practices import Practice, practices
from apps.core.digests import canonical_digest

if TYPE_CHECKING:
    from apps.registry.models import ModelVersion

WAIVED = "waived"
MISSING = "missing"
STATE_LABELS = {**dict(PracticeState.choices), WAIVED: "Waived", MISSING: "Not stated"}


@dataclass(frozen=True)
class Standing:
    """Where a version stands with one practice.

    Args:
        practice: of the framework.
        statement: the newest one, if somebody wrote one.
        waiver: the one that counts, if one is active.
    """

    practice: Practice
    statement: PracticeStatement | None
    waiver: Waiver | None

    @property
    def state(self) -> str:
        """The state of the statement that settles it, waived, or what is left."""
        if self.statement and self.statement.state in SETTLED:
            return str(self.statement.state)
        if self.waiver:
            return WAIVED
        return str(self.statement.state) if self.statement else MISSING

    @property
    def label(self) -> str:
        """The state as people read it."""
        return str(STATE_LABELS[self.state])

    @property
    def is_settled(self) -> bool:
        """Say whether nothing is left to do: settled by a statement, or waived."""
        return self.state == WAIVED or self.state in SETTLED

    @property
    def sealed(self) -> dict[str, Any]:
        """What is signed about it, with a digest of its own."""
        if self.state == WAIVED and self.waiver:
            content: dict[str, Any] = {
                "practice": self.practice.slug,
                "state": WAIVED,
                "waiver": str(self.waiver.pk),
                "record_sha256": self.waiver.record_sha256,
                "expires_on": self.waiver.expires_on.isoformat(),
            }
        elif self.statement:
            content = self.statement.content
        else:
            content = {"practice": self.practice.slug, "state": MISSING}
        return {**content, "digest": canonical_digest(content)}


def standings(
    version: ModelVersion, names: Iterable[str] | None = None
) -> list[Standing]:
    """Say of each practice where `version` stands with it today; costs two queries.

    Args:
        version: any.
        names: slugs of practices; None for all of them.
    """
    known = practices()
    wanted = [known[name] for name in (known if names is None else names)]
    newest = PracticeStatement.objects.filter(version=version).newest()
    stated = {one.practice: one for one in newest.select_related("owner", "written_by")}
    waived: dict[str, Waiver] = {}
    # The oldest counts, so that a new waiver alters nothing that was signed before.
    for waiver in (
        Waiver.objects.active().filter(project=version.project).order_by("pk")
    ):
        for slug in waiver.practices:
            waived.setdefault(slug, waiver)
    return [Standing(one, stated.get(one.slug), waived.get(one.slug)) for one in wanted]


def unsettled(version: ModelVersion, names: Iterable[str]) -> list[Standing]:
    """List of the practices `names` those that are neither settled nor waived."""
    names = list(names)
    if not names:
        return []
    return [one for one in standings(version, names) if not one.is_settled]


def sealed_practices(version: ModelVersion, names: Iterable[str]) -> dict[str, Any]:
    """Gather what a signature seals about the practices `names`."""
    listed = [one.sealed for one in standings(version, names)]
    return {"practices": listed, "digest": canonical_digest(listed)}


def differing(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[str]:
    """Name the practices that two sealed parts tell differently."""
    then, now = _digests(before), _digests(after)
    known = practices()
    return [
        known[slug].short if slug in known else slug
        for slug in {**then, **now}
        if then.get(slug) != now.get(slug)
    ]


def _digests(part: Mapping[str, Any] | None) -> dict[str, str]:
    listed = part["practices"] if part else []
    return {one["practice"]: one["digest"] for one in listed}


def summary(part: Mapping[str, Any]) -> str:
    """Count the states of a sealed part, in a sentence."""
    counted = Counter(one["state"] for one in part["practices"])
    return ", ".join(
        f"{n} {STATE_LABELS[state].lower()}" for state, n in counted.items()
    )


def waivers_under(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List of sealed evidence the practices that rest on a waiver."""
    part = evidence.get("practices") or {"practices": []}
    return [one for one in part["practices"] if one["state"] == WAIVED]
