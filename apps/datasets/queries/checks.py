"""What came of holding versions against the contract of their day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.datasets.queries.errors import failure_places

if TYPE_CHECKING:
    from apps.datasets.models import DatasetVersion


def check_result(version: DatasetVersion) -> dict[str, Any] | None:
    """Say what came of holding a version against the contract of its day.

    Returns:
        `revision`, `verdict` and `checks`, as the engine gave them, or None when there
        was no contract. Of a version that was refused, `checks` are the broken ones.
    """
    if version.contract_check is not None:
        found: dict[str, Any] = version.contract_check
        return found
    broken = [p for p in failure_places(version) if p.get("expectation")]
    return {"verdict": "failed", "checks": _joined(broken)} if broken else None


def _joined(places: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the places of a failure back under the expectation they belong to."""
    checks: dict[tuple[str, Any], dict[str, Any]] = {}
    for place in places:
        columns = [place["column"]] if place["column"] else []
        check = checks.setdefault(
            (place["expectation"], place["column"]),
            {
                "columns": columns,
                "kind": place["expectation"],
                "severity": "block",
                "verdict": "failed",
                "expected": place.get("expected", ""),
                "message": place.get("found") or place["message"],
                "rows": [],
            },
        )
        if place["row"] is not None:
            check["rows"].append({"row": place["row"], "value": place["text"]})
    return list(checks.values())


def check_summary(version: DatasetVersion) -> dict[str, Any] | None:
    """Add what a page shows: `concerns`, the worst first, and how many `passed`."""
    found = check_result(version)
    if found is None:
        return None
    concerns = [c for c in found["checks"] if c["verdict"] != "passed"]
    concerns.sort(key=lambda check: _CONCERN.index(check["verdict"]))
    return {
        **found,
        "concerns": concerns,
        "passed": len(found["checks"]) - len(concerns),
    }


_CONCERN = ("failed", "warned", "not_tested")
