"""What people read of a regeneration: the verdict, and what was compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.experiments.models import Run
    from apps.training.models import Regeneration

STEPS: Final = {
    "data": "Data as it was read",
    "split": "Division of the rows",
    "preparation": "Preparation of the columns",
    "search": "Search for settings",
    "model": "Model",
    "predictions": "Predictions of the test rows",
    "project": "Code of the project",
    "figures": "Figures that the code gave",
}
CAUSES: Final = {
    "data": "Data",
    "seed": "Seed",
    "spec": "What was asked for",
    "code": "Code",
    "package": "Packages",
    "hardware": "Hardware and threads",
    "system": "System",
    "nondeterminism": "Chance",
}
MOST_METRICS: Final = 12


def newest_regenerations(run: Run) -> QuerySet[Regeneration]:
    """List the regenerations of `run`, newest first."""
    rows = run.regenerations.select_related("asked_by").order_by("-number")
    return rows.defer("certificate", "log_tail", "failure_details")


def latest_verdict(run: Run) -> Regeneration | None:
    """Find the newest regeneration of `run` that says something."""
    found = run.regenerations.certified().order_by("-number")
    return found.defer("log_tail", "failure_details").first()


def card_section(run: Run) -> dict[str, Any] | None:
    """Say for a model card whether its run came out the same a second time."""
    found = latest_verdict(run)
    if found is None or found.finished_at is None:
        return None
    return {
        "verdict": found.verdict,
        "sentence": found.facts["sentence"],
        "finished_at": found.finished_at.isoformat(),
        "certificate_sha256": found.certificate_sha256,
    }


def comparison(facts: dict[str, Any]) -> dict[str, Any]:
    """Put the facts of a certificate into the rows of its page."""
    return {
        "sentence": facts.get("sentence", ""),
        "causes": _titled(facts.get("causes")),
        "others": _titled(facts.get("other_differences")),
        "steps": [
            _row(STEPS.get(step["step"], step["step"]), step)
            for step in facts.get("steps") or []
        ],
        "files": [_row(file["name"], file) for file in facts.get("files") or []],
        "metrics": (facts.get("metrics") or [])[:MOST_METRICS],
        "metric_count": len(facts.get("metrics") or []),
        "gap": facts.get("predictions"),
        "tolerance": facts.get("tolerance"),
    }


def seal_of(found: Regeneration) -> dict[str, Any] | None:
    """Say which event holds the certificate, and its place in the sealed trail."""
    event = (
        AuditEvent.objects.filter(
            type=EventType.REGENERATION_CERTIFIED, target_id=str(found.pk)
        )
        .select_related("leaf")
        .first()
    )
    if event is None:
        return None
    leaf = getattr(event, "leaf", None)
    return {"event_id": event.event_id, "place": leaf and leaf.leaf_index}


def _titled(differences: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return [
        {**one, "title": CAUSES.get(one["kind"], one["kind"])}
        for one in differences or []
    ]


def _row(title: str, sides: dict[str, Any]) -> dict[str, Any]:
    expected, found = sides["expected"], sides["found"]
    return {
        "title": title,
        "expected": expected,
        "found": found,
        "is_same": expected == found,
    }
