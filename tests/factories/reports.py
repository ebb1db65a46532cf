"""Results in the shape that the engine leaves, from small to as large as it may be."""

from typing import Any

from engine.spec import FAMILIES

LONGEST = "'&<é" * 30  # 120 signs, each of which grows when it is escaped


def family(slug: str = "drift", **changes: Any) -> dict[str, Any]:
    """One family with a figure, a table and a curve."""
    return {
        "slug": slug,
        "title": FAMILIES[slug],
        "summary": "1 of 2 columns have moved.",
        "not_tested": "",
        "figures": [figure()],
        "tables": [
            {
                "title": "Columns by how far they moved",
                "columns": ["Column", "Index", "Rows"],
                "rows": [["speed", 0.31, 1200], ["phase", None, 1200]],
            }
        ],
        "curves": [
            {
                "title": "Effect of speed",
                "x": "speed",
                "y": "Average answer",
                "lines": [{"name": "Average answer", "x": [1.0, 2.0], "y": [0.2, 0.4]}],
            }
        ],
        **changes,
    }


def untested(slug: str = "champion") -> dict[str, Any]:
    """One family that was not tested."""
    reason = "There was no champion."
    nothing: dict[str, Any] = {"figures": [], "tables": [], "curves": []}
    return family(slug, summary="", not_tested=reason, **nothing)


def figure(title: str = "Largest index") -> dict[str, Any]:
    """One number of a family."""
    values = {"value": 0.31, "low": None, "high": None}
    return {"slug": "largest_psi", "title": title, "unit": "index", **values}


def largest() -> dict[str, Any]:
    """Parts of a result that fill every bound of the engine.

    Eleven families with tables of 200 rows, lines of 200 points, texts of 120 signs
    that grow when they are escaped, ten columns of 21 groups, and 20 criteria of which
    none is met.
    """
    points = [place / 7 for place in range(200)]
    lines = [
        {"name": f"{n} {LONGEST}"[:120], "x": points, "y": points} for n in range(8)
    ]
    row = [LONGEST] * 8
    table = {"title": LONGEST, "columns": [LONGEST] * 8, "rows": [row] * 200}
    curve = {"title": LONGEST, "x": LONGEST, "y": LONGEST, "lines": lines}
    return {
        "families": [
            family(
                slug,
                summary=LONGEST * 2,
                figures=[figure(LONGEST)] * 20,
                tables=[table] * 6,
                curves=[curve] * 6,
            )
            for slug in FAMILIES
        ],
        "subgroups": [_column(place) for place in range(10)],
        "importance": [
            {"feature": f"{n} {LONGEST}", "mean": 0.1, "std": 0.0} for n in range(20)
        ],
        "checks": [_missed(place) for place in range(20)],
    }


def largest_of_many_classes() -> dict[str, Any]:
    """The same for as many classes as the engine tells apart."""
    labels = [f"{place:02} {LONGEST}"[:120] for place in range(50)]
    matrix = [[1_234_567 + row * column for column in range(50)] for row in range(50)]
    slugs = ("accuracy", "balanced_accuracy", "macro_f1")
    around = {"value": 0.5, "low": 0.4, "high": 0.6, "unit": "ratio"}
    names = ("accuracy",)
    subgroups = [
        column
        | {
            "groups": [
                group
                | {
                    "positives": None,
                    "measures": dict.fromkeys(names, group["measures"]["recall"]),
                }
                for group in column["groups"]
            ]
        }
        for column in map(_column, range(10))
    ]
    return largest() | {
        "positives": None,
        "threshold": None,
        "curves": None,
        "mission": None,
        "confusion": {"labels": labels, "matrix": matrix},
        "measures": [{"measure": slug, "title": slug, **around} for slug in slugs],
        "subgroups": subgroups,
    }


def _column(place: int) -> dict[str, Any]:
    interval = {"value": 0.3 - place / 100, "low": 0.1, "high": 0.5}
    names = ("recall", "precision", "false_positive_rate", "selection_rate")
    groups = [
        {
            "group": f"{n} {LONGEST}",
            "rows": 1_000_000,
            "positives": 200,
            "small": n > 18,
            "measures": dict.fromkeys(names, interval),
        }
        for n in range(21)
    ]
    return {"column": f"{place} {LONGEST}", "groups": groups}


def _missed(place: int) -> dict[str, Any]:
    kinds = (("fail", True), ("warn", False), ("not_tested", True), ("fail", True))
    verdict, blocking = kinds[place % 4]
    value = None if verdict == "not_tested" else 0.123456
    return {
        "measure": "false_alarm_difference",
        "title": "Difference of false alarm rates between groups",
        "operator": "<=",
        "threshold": 0.0123456,
        "blocking": blocking,
        "value": value,
        "low": value,
        "high": value,
        "verdict": verdict,
        "reason": LONGEST if value is None else "",
        "family": "fairness",
        "digest": "ab" * 32,
    }
