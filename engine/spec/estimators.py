"""The estimators a training may use, with the parameters a person may set."""

from collections.abc import Mapping

from engine.spec.decode import require
from engine.spec.estimator import Estimator, Scalar
from engine.spec.linear_estimators import LINEAR
from engine.spec.other_estimators import OTHER
from engine.spec.tree_estimators import TREE

ESTIMATORS: Mapping[str, Estimator] = {
    found.slug: found for found in (*LINEAR, *TREE, *OTHER)
}


def complete_parameters(slug: str, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Check `given` and fill in the defaults of the rest.

    Raises:
        SpecError: the estimator or a parameter is unknown, or a value does not fit.
    """
    require(slug in ESTIMATORS, "estimator", f"must be one of {', '.join(ESTIMATORS)}.")
    known = {parameter.name: parameter for parameter in ESTIMATORS[slug].parameters}
    for name in given:
        require(
            name in known, f"parameters.{name}", f"is unknown to {slug}; remove it."
        )
    return {
        name: parameter.check(given.get(name, parameter.default))
        for name, parameter in known.items()
    }
