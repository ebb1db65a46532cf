"""What is different from the version that was signed last, the largest change first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from apps.approvals import queries
from apps.approvals.evidence import moved_parts
from apps.core import figures
from apps.core.figures import Axes, Caption, Figure
from apps.datasets.models import DatasetVersion
from apps.experiments.comparing import comparison
from apps.experiments.models import Run
from apps.registry.models import CARD_SECTIONS
from apps.validation.reading import measure_title, said
from engine.spec import MEASURES

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.models import ApprovalRequest
    from apps.registry.models import ModelVersion

# Kinds of change, in the order in which those of equal size are listed.
AREAS = {
    "measures": "Measures",
    "subgroups": "Subgroups",
    "data": "Data",
    "parameters": "Parameters",
    "card": "Model card",
    "policy": "Policy",
    "code": "Code and environment",
}
SMALLEST_SHARE = 0.001  # of a measured value; a smaller change is none
MOST_GROUPS = 12
MOST_DRAWN = 10
COMES_OR_GOES = 0.3  # the size of a value that only one of both states
_LOWER_IN_GROUPS = frozenset({"false_positive_rate"})
_CODE_KEYS = frozenset(
    {
        *("record.code.digest", "code.sha256", "code.commit", "code.entry"),
        *("engine", "python", "platform", "machine", "threads"),
    }
)
_CODE_TITLES = {
    "record.code.digest": "Digest of the engine's code",
    "code.sha256": "Digest of the own code",
    "code.commit": "Commit",
    "code.entry": "Entry point",
    "engine": "Engine",
    "python": "Python",
    "platform": "Platform",
    "machine": "Machine",
    "threads": "Threads",
}


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was.

    Attributes:
        area: key of `AREAS`.
        title: what it is.
        before: as it was signed.
        after: as it stands in the request.
        size: 0 to 1, of the larger of both where they are numbers.
        better: whether it got better; None where nobody can say.
        percent: signed change in percent, of measured values.
    """

    area: str
    title: str
    before: str
    after: str
    size: float
    better: bool | None = None
    percent: float | None = None

    @property
    def area_title(self) -> str:
        """What people call the kind of change."""
        return AREAS[self.area]


@dataclass(frozen=True)
class Changes:
    """A request beside the one that was signed last for the same model.

    Attributes:
        before: the request that was signed.
        found: largest first.
        doubts: sentences on what could not be compared.
    """

    before: ApprovalRequest
    found: list[Change]
    doubts: list[str]

    @property
    def largest(self) -> list[Change]:
        """The largest change of each kind, the largest first."""
        first: dict[str, Change] = {}
        for change in self.found:
            first.setdefault(change.area, change)
        return list(first.values())

    @property
    def same(self) -> list[str]:
        """Titles of the kinds in which nothing differs."""
        changed = {change.area for change in self.found}
        return [title for area, title in AREAS.items() if area not in changed]

    @property
    def texts(self) -> dict[str, list[str]]:
        """The texts of the card that differ, by heading: before and after."""
        return {
            change.title: [change.before, change.after]
            for change in self.found
            if change.area == "card"
        }


def changes_since(approval: ApprovalRequest, reader: User) -> Changes | None:
    """Compare `approval` with the request of its model that was signed last.

    Args:
        approval: with version, its run and the report joined.
        reader: names of datasets that they may not see are left out.

    Returns:
        None when no version of the model was ever approved.
    """
    before = queries.last_signed(approval)
    if before is None:
        return None
    found = [
        *_measures(before.report.result, approval.report.result),
        *_groups(before.report.result, approval.report.result),
        *_origins(before.version, approval.version, reader),
        *_card(before.version, approval.version),
        *_policy(before.policy, approval.policy),
    ]
    places = list(AREAS)
    found.sort(key=lambda change: (-change.size, places.index(change.area)))
    return Changes(before, found, list(_doubts(before, approval)))


def _doubts(before: ApprovalRequest, approval: ApprovalRequest) -> Iterator[str]:
    if approval.version_id == before.version_id:
        yield "The same version was signed before; its files and data are the same."
    elif moved := moved_parts(before):
        names = ", ".join(part["name"] for part in moved)
        yield f"Not as it was signed any more, so compared as it is now: {names}."
    if _rows_of(before) != _rows_of(approval):
        yield (
            "The measures come from different evaluation rows, so a part of their "
            "change may be chance."
        )


def _rows_of(approval: ApprovalRequest) -> tuple[Any, ...]:
    report, version = approval.report, approval.version
    data = version.data
    return (
        report.evaluated_on,
        data.pk if data else None,
        version.summary.get("split_digest"),
    )


def _relative(before: float | None, after: float | None) -> float | None:
    """Give the signed change as a share of the larger value; None when not known."""
    if before is None or after is None:
        return None
    largest = max(abs(before), abs(after))
    share = (after - before) / largest if largest else 0.0
    return share if math.isfinite(share) else None


def _numbers(
    area: str, title: str, slug: str, before: float | None, after: float | None
) -> Iterator[Change]:
    share = _relative(before, after)
    if share is None and (before is None) != (after is None):
        yield Change(area, title, said(before), said(after), 1.0)
    elif share is not None and abs(share) >= SMALLEST_SHARE:
        percent = None if not before else 100 * ((after or 0) - before) / abs(before)
        better = None
        if slug in MEASURES:
            better = (share > 0) == (MEASURES[slug].better == "higher")
        elif slug in _LOWER_IN_GROUPS:
            better = share < 0
        size = min(abs(share), 1.0)
        yield Change(area, title, said(before), said(after), size, better, percent)


def _measures(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    former = {row["measure"]: row["value"] for row in before["measures"]}
    latter = {row["measure"]: row["value"] for row in after["measures"]}
    for slug in dict.fromkeys((*latter, *former)):
        pair = former.get(slug), latter.get(slug)
        yield from _numbers("measures", measure_title(slug), slug, *pair)


def _groups(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """Compare each measure of each group that is not small; the largest few."""
    former, latter = _cells(before), _cells(after)
    found = [
        change
        for (column, group, slug), value in latter.items()
        if (column, group, slug) in former
        for change in _numbers(
            "subgroups",
            f"{measure_title(slug)} where {column} is {group}",
            slug,
            former[column, group, slug],
            value,
        )
    ]
    return sorted(found, key=lambda change: -change.size)[:MOST_GROUPS]


def _cells(result: dict[str, Any]) -> dict[tuple[str, str, str], float | None]:
    return {
        (part["column"], group["group"], slug): measure["value"]
        for part in result["subgroups"]
        for group in part["groups"]
        if not group["small"]
        for slug, measure in group["measures"].items()
    }


def _origins(
    before: ModelVersion, after: ModelVersion, reader: User
) -> Iterator[Change]:
    """Compare data, parameters, code and environment of both runs."""
    if before.run_id == after.run_id:
        return
    runs = Run.objects.select_related(
        "experiment", "recorded_by", "dataset_version__dataset"
    ).in_bulk([before.run_id, after.run_id])
    known = [run.dataset_version_id for run in runs.values() if run.dataset_version_id]
    visible = DatasetVersion.objects.visible_to(reader).filter(pk__in=known)
    compared = comparison(
        [runs[before.run_id], runs[after.run_id]],
        set(visible.values_list("pk", flat=True)),
    )
    for section in compared.sections():
        for line in section.different:
            area = _area(section.slug, line.key)
            if area:
                size = _text_size(*line.cells)
                former, latter = (str(cell or "not stated") for cell in line.cells)
                title = _CODE_TITLES.get(line.key, line.title)
                yield Change(area, title, former, latter, size)


def _area(section: str, key: str) -> str:
    if section == "parameters":
        return "parameters"
    if section != "origins":
        return ""
    if key == "Dataset version" or key.startswith("rows."):
        return "data"
    return "code" if key in _CODE_KEYS or key.startswith("packages.") else ""


def _text_size(before: str | None, after: str | None) -> float:
    """Measure a change of a value: of numbers their share, of words all or nothing."""
    if before is None or after is None:
        return COMES_OR_GOES
    try:
        share = _relative(float(before), float(after))
    except ValueError:
        return 1.0
    return 1.0 if share is None else min(abs(share), 1.0)


def _card(before: ModelVersion, after: ModelVersion) -> Iterator[Change]:
    for name, title in CARD_SECTIONS.items():
        pair = getattr(before.card, name), getattr(after.card, name)
        if pair[0] != pair[1]:
            former, latter = (text.split() for text in pair)
            alike = SequenceMatcher(None, former, latter, autojunk=False).ratio()
            yield Change("card", title, *pair, size=1 - alike)


def _policy(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    if before == after:
        return
    former, latter = _policy_lines(before), _policy_lines(after)
    for title in dict.fromkeys((*former, *latter)):
        pair = former.get(title, "nothing"), latter.get(title, "nothing")
        if pair[0] != pair[1]:
            is_name = title == "Version"
            yield Change("policy", title, *pair, size=0.1 if is_name else 1.0)


def _policy_lines(policy: dict[str, Any]) -> dict[str, str]:
    """Say what a policy demands, line by line."""
    lines = {"Version": f"{policy['title']}, version {policy['version']}"}
    for key, title in {
        "request_days": "Days to decide a request",
        "validity_days": "Days until an approval expires",
    }.items():
        lines[title] = str(policy.get(key) or "no limit")
    for stage in policy["stages"]:
        lines[f"Stage {stage['title']}"] = f"{stage['required']} × {stage['meaning']}"
    return lines


def moved_measures(changes: Changes) -> Figure | None:
    """Draw how far the measures moved, in percent of what was signed."""
    moved = [
        change
        for change in changes.found
        if change.area == "measures" and change.percent is not None
    ][:MOST_DRAWN]
    if not moved:
        return None
    first = moved[0]
    way = {True: "for the better", False: "for the worse", None: "either way"}
    summary = (
        f"{first.title} moved most, {way[first.better]}: from {first.before} to "
        f"{first.after}."
    )
    return figures.bars(
        Caption("moved-measures", "How far the measures moved", summary),
        [change.title for change in moved],
        [change.percent or 0.0 for change in moved],
        Axes("Change in percent of what was signed", "Measure"),
    )
