"""What errors cost the mission at every threshold, and at the chosen one."""

from engine.cost import THRESHOLDS, best_threshold, cost_curve
from engine.evaluation.performance import measured
from engine.evaluation.shape import Family, NotTested, curve, figure, line
from engine.evaluation.subject import Subject


def compute(subject: Subject) -> Family:
    """Draw cost by threshold and say how near to the best the chosen one is."""
    spec, outcomes = subject.spec, subject.outcomes
    if spec.task != "binary":
        raise NotTested("Mission cost is counted for binary targets.")
    if spec.cost is None:
        raise NotTested("The project's objective states no cost of errors.")
    costs = cost_curve(outcomes.actual, outcomes.scores, spec.cost)
    spent, least = subject.values["mission_cost_per_1000"], float(costs.min())
    nothing = 1000 * float(outcomes.actual.mean()) * spec.cost.miss
    share = min(least / spent, 1.0) if spent > 0 else 1.0
    figures = [
        *measured(subject, "mission"),
        figure("mission_share_of_best", share),
    ]
    if nothing > 0:
        low, high = subject.intervals["mission_cost_per_1000"]
        saved = (1 - spent / nothing, 1 - high / nothing, 1 - low / nothing)
        figures.append(figure("mission_saving", *saved))
    best = best_threshold(outcomes.actual, outcomes.scores, spec.cost)
    chosen = outcomes.threshold
    lines = [
        line("Model", list(THRESHOLDS), list(costs)),
        line("Chosen threshold", [chosen, chosen], [0, float(costs.max())]),
    ]
    return Family(
        "mission",
        f"At threshold {chosen:.3g} errors cost {spent:,.4g} per 1,000 cases; the "
        f"least on these rows is {least:,.4g}, at {best:.3g}.",
        figures=figures,
        curves=[curve("Cost by threshold", "Threshold", "Cost per 1,000 cases", lines)],
    )
