"""What a report says beyond the measures: one module per family of checks.

Each module has one function `compute(subject) -> Family`. A family that the data or
the model do not allow raises `NotTested`, and is shown with that reason.
"""

from collections.abc import Callable, Mapping

from engine.evaluation import (
    calibration,
    champion,
    drift,
    explanation,
    fairness,
    leakage,
    mission,
    performance,
    portal,
    robustness,
    runtime,
)
from engine.evaluation.shape import Family, NotTested
from engine.evaluation.subject import Subject
from engine.spec import FAMILIES

_COMPUTE: Mapping[str, Callable[[Subject], Family]] = {
    "performance": performance.compute,
    "champion": champion.compute,
    "fairness": fairness.compute,
    "calibration": calibration.compute,
    "mission": mission.compute,
    "robustness": robustness.compute,
    "drift": drift.compute,
    "leakage": leakage.compute,
    "explanation": explanation.compute,
    "runtime": runtime.compute,
    "portal": portal.compute,
}


def families(subject: Subject, first: float, last: float) -> list[Family]:
    """Compute every family in the order of `FAMILIES`.

    Args:
        subject: what is judged.
        first: progress when the first family begins.
        last: progress when the last one is done.
    """
    found = []
    for place, (slug, title) in enumerate(FAMILIES.items()):
        share = place / len(FAMILIES)
        subject.folder.progress(first + (last - first) * share, title)
        try:
            family = _COMPUTE[slug](subject)
        except NotTested as error:
            family = Family(slug, summary="", not_tested=str(error))
        found.append(family)
    return found
