"""How far the columns moved between two versions: as figures and as rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from apps.core.figures import Axes, Caption, Figure
from apps.core.figures_pairs import Pair, overlaid_histograms, paired_bars
from apps.jobs.models import JobStatus

if TYPE_CHECKING:
    from apps.datasets.models import VersionDiff

MOST_FIGURES = 6
# Above which a shift is called so; N. Siddiqi, Credit Risk Scorecards, 2006.
LARGE, MODERATE = 0.25, 0.1
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # the years 1 to 9999, in seconds


def shift_rows(diff: VersionDiff) -> list[dict[str, Any]]:
    """List the columns that were compared, the most moved first.

    Each has what the engine measured, and `state` and `words` for how far it moved.
    """
    return [{**column, **_judged(column)} for column in _by_shift(diff)]


def shift_figures(diff: VersionDiff, wanted: str | None) -> list[Figure]:
    """Draw the columns that moved most, or the one that is wanted.

    Args:
        diff: a comparison; one without a result gives no figures.
        wanted: name of a column, or None.
    """
    drawable = [column for column in _by_shift(diff) if column["bins"]]
    chosen = [c for c in drawable if c["name"] == wanted] or drawable[:MOST_FIGURES]
    return [_figure(diff, place, column) for place, column in enumerate(chosen)]


def _by_shift(diff: VersionDiff) -> list[dict[str, Any]]:
    if diff.status != JobStatus.SUCCEEDED:
        return []
    return sorted(diff.result["columns"], key=lambda c: -(c["psi"] or 0))


def _judged(column: dict[str, Any]) -> dict[str, str]:
    index = column["psi"]
    if index is None:
        return {"state": "not_tested", "words": "no values"}
    if index > LARGE:
        return {"state": "stale", "words": "large"}
    if index > MODERATE:
        return {"state": "open", "words": "moderate"}
    return {"state": "draft", "words": "little"}


def _figure(diff: VersionDiff, place: int, column: dict[str, Any]) -> Figure:
    bins = column["bins"]
    caption = Caption(
        id=f"shift-{place}", title=column["name"], summary=_summary(column)
    )
    pair: Pair = (
        (f"Version {diff.before.number}", bins["before"]),
        (f"Version {diff.after.number}", bins["after"]),
    )
    if "labels" in bins:
        axes = Axes("Share of rows", column["name"])
        return paired_bars(caption, bins["labels"], pair, axes)
    axes = Axes(column["name"], "Share of rows")
    return overlaid_histograms(caption, _edges(column), pair, axes)


def _summary(column: dict[str, Any]) -> str:
    test = "Kolmogorov-Smirnov distance" if column["test"] == "ks" else "chi-square"
    words = _judged(column)["words"]
    return (
        f"The shift is {words}: stability index {column['psi']:.3f}, "
        f"{test} {column['statistic']:.4g} (p {_p(column['p_value'])})."
    )


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"  # noqa: PLR2004


def _edges(column: dict[str, Any]) -> list[Any]:
    """Write the edges as the column's own kind; dates come as seconds since 1970."""
    edges = column["bins"]["edges"]
    if column["type"] not in ("date", "timestamp"):
        return [float(f"{edge:.6g}") for edge in edges]
    moments = [datetime.fromtimestamp(min(max(e, _FIRST), _LAST), UTC) for e in edges]
    kept = 10 if column["type"] == "date" else 16
    return [moment.isoformat()[:kept] for moment in moments]
