"""What is gained over the champion on the same rows, by a paired bootstrap."""

from engine.evaluation.shape import Family, NotTested, figure, table
from engine.evaluation.subject import Subject
from engine.folder import Json
from engine.spec import MEASURES

_COLUMNS = ("Measure", "Model", "Champion", "Difference", "Low", "High")


def compute(subject: Subject) -> Family:
    """Give for each measure the least gain that the interval leaves possible."""
    if subject.champion is None:
        raise NotTested("There is no champion of the same question.")
    compared = subject.champion["measures"]
    gains = [(row["measure"], *_gain(row)) for row in compared]
    sure = sum(low > 0 for _, low, _ in gains)
    worse = sum(high < 0 for _, _, high in gains)
    rows = [
        [
            MEASURES[row["measure"]].title,
            row["value"],
            row["champion_value"],
            row["difference"],
            row["low"],
            row["high"],
        ]
        for row in compared
    ]
    return Family(
        "champion",
        f"Of {len(gains)} measures, {sure} are surely better than the champion's and "
        f"{worse} surely worse, on the same rows.",
        figures=[figure(f"champion_{s}", low, low, high) for s, low, high in gains],
        tables=[table("Model and champion on the same rows", _COLUMNS, rows)],
    )


def _gain(row: Json) -> tuple[float, float]:
    """Turn an interval of a difference into one of a gain."""
    if MEASURES[row["measure"]].better == "higher":
        return row["low"], row["high"]
    return -row["high"], -row["low"]
