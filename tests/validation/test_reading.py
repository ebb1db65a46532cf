from types import SimpleNamespace

import pytest

from apps.core.status import Kind
from apps.validation import reading, report_figures
from tests.factories.validation import RESULT, engine_result

CHECK = {
    "measure": "recall",
    "title": "Recall",
    "operator": ">=",
    "threshold": 0.6,
    "blocking": True,
    "value": 0.7,
    "low": 0.65,
    "high": 0.75,
    "verdict": "pass",
    "reason": "",
}
LOWER = {"operator": "<=", "threshold": 0.8}
DIFFERENCES = [
    {"measure": "recall", "difference": 0.1, "low": 0.02, "high": 0.2},
    {"measure": "brier", "difference": 0.1, "low": 0.02, "high": 0.2},
    {"measure": "f1", "difference": -0.1, "low": -0.2, "high": -0.01},
    {"measure": "precision", "difference": 0.1, "low": -0.1, "high": 0.3},
    {"measure": "roc_auc", "difference": None, "low": None, "high": None},
]


def a_report(verdict: str = "pass", **changes):
    """A finished report without its row: reading needs nothing else."""
    return SimpleNamespace(
        evaluated_on="held_out",
        verdict=verdict,
        result=engine_result(verdict, **changes),
        spec={"confidence": 0.95},
        cost_unit="hours",
        champion=None,
    )


def compared(**costs):
    row = {"measure": "mission_cost_per_1000", "value": 900.0, "champion_value": 1000.0}
    return {"measures": [{**row, "difference": -100.0, "low": -150.0, "high": -50.0}]}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, False),
        ({"low": 0.55}, True),
        ({"low": None}, False),
        ({"low": 0.1, "verdict": "fail"}, False),
        ({**LOWER}, False),
        ({**LOWER, "high": 0.85}, True),
    ],
)
def test_a_check_is_close_when_its_interval_reaches_past_the_requirement(
    change, expected
):
    assert reading.is_close({**CHECK, **change}) is expected


def test_banner_counts_wishes_and_close_calls():
    wish = {**CHECK, "blocking": False, "verdict": "warn"}
    untested = {**CHECK, "blocking": False, "verdict": "not_tested"}
    checks = [{**CHECK, "low": 0.5}, CHECK, wish, untested]

    banner = reading.banner(a_report(checks=checks))

    assert banner["sentence"] == "2 criteria that must hold are met."
    assert banner["notes"] == [
        "1 criterion that should hold is missed.",
        "1 criterion that should hold is not tested.",
        "1 criterion met is close: its interval reaches past the requirement.",
    ]


def test_banner_of_a_failure_gives_figure_and_requirement():
    missed = {**CHECK, "value": 0.52, "verdict": "fail"}

    banner = reading.banner(a_report("fail", checks=[missed, CHECK]))

    assert banner["kind"] == Kind.ERROR
    assert banner["sentence"] == (
        "1 of 2 criteria that must hold is missed: "
        "Recall is 0.52, required is at least 0.6."
    )


def test_banner_of_an_untested_one_gives_the_reason():
    banner = reading.banner(a_report("not_tested"))

    assert banner["kind"] == Kind.WARNING
    assert banner["sentence"].endswith("not tested: Recall (No positive rows).")


def test_check_rows_begin_with_what_must_hold():
    wish = {**CHECK, "title": "Wish", "blocking": False}

    rows = reading.check_rows(a_report(checks=[wish, {**CHECK, "low": 0.5}]))

    assert [row["duty"] for row in rows] == ["Must hold", "Should hold"]
    assert rows[0]["note"].startswith("Close:")
    assert rows[1]["note"] == ""


@pytest.mark.parametrize(
    ("cost", "high", "kind", "words"),
    [
        (900.0, 990.0, Kind.SUCCESS, "55\N{NO-BREAK SPACE}% less"),
        (1900.0, 2100.0, Kind.WARNING, "5\N{NO-BREAK SPACE}% less"),
        (1900.0, None, Kind.WARNING, "5\N{NO-BREAK SPACE}% less"),
        (2200.0, 2400.0, Kind.ERROR, "10\N{NO-BREAK SPACE}% more"),
    ],
)
def test_key_figures_compare_with_today(cost, high, kind, words):
    mission = {**RESULT["mission"], "cost_per_1000": cost, "high": high}

    figures = reading.key_figures(a_report(mission=mission))

    today = next(f for f in figures if f["label"] == "Against today")
    assert (today["kind"], today["value"]) == (kind, words)


def test_key_figures_without_baseline_leave_today_out():
    mission = {**RESULT["mission"], "baseline_per_1000": None}

    labels = [f["label"] for f in reading.key_figures(a_report(mission=mission))]

    assert "Against today" not in labels


def test_key_figures_without_mission_are_measures():
    figures = reading.key_figures(a_report(mission=None, positives=None))

    assert [f["label"] for f in figures] == [
        "Area under the ROC curve",
        "Precision",
        "Recall",
        "Held-out rows",
    ]
    assert "detail" not in figures[-1]


def test_a_cost_of_nothing_is_not_divided_by():
    assert reading.less_or_more(5.0, 0.0) == "–"


def test_champion_rows_read_differences_in_the_direction_of_the_measure():
    rows = [{"value": 0.5, "champion_value": 0.4, **row} for row in DIFFERENCES]

    found = reading.champion_rows(a_report(champion={"measures": rows}))

    assert [row["reading"] for row in found] == [
        "Better",
        "Worse",
        "Worse",
        "No clear difference",
        "No clear difference",
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            DIFFERENCES,
            "Of 5 measures, this version is clearly better in 1 (Recall) and",
        ),
        (DIFFERENCES[:1], "Of 1 measure, this"),
        (DIFFERENCES[3:], "None of 2 measures differs clearly."),
    ],
)
def test_champion_summary_counts_what_is_clear(rows, said):
    rows = [{"value": 0.5, "champion_value": 0.4, **row} for row in rows]

    shown = reading.champion_rows(a_report(champion={"measures": rows}))

    assert reading.champion_summary(shown).startswith(said)


def test_champion_that_learned_from_other_rows_is_pointed_out():
    def version(digest):
        return SimpleNamespace(data="rows", summary={"split_digest": digest})

    report = a_report()
    assert not reading.champion_saw_other_rows(report)
    report.version, report.champion = version("a"), version("a")
    assert not reading.champion_saw_other_rows(report)
    report.champion = version("b")
    assert reading.champion_saw_other_rows(report)


def test_group_tables_count_small_groups():
    (table,) = reading.group_tables(a_report())

    assert table["small_count"] == 1
    assert table["measures"] == [
        "Recall",
        "Precision",
        "False alarm rate",
        "Share flagged",
    ]
    assert [row["group"] for row in table["rows"]] == ["climb", "taxi"]


def test_measures_that_are_unknown_here_keep_their_slug():
    assert reading.measure_title("novelty") == "novelty"


def test_cost_comparison_names_the_cheapest_way():
    report = a_report(champion=compared())

    figure = report_figures.cost_comparison(report)

    assert figure["summary"] == "This model costs the least: 900 hours."
    assert [row[0] for row in figure["table"]["rows"]] == [
        "This model",
        "The champion",
        "Today",
        "Flagging nothing",
        "Flagging everything",
    ]


def test_cost_curve_marks_the_chosen_threshold():
    figure = report_figures.cost_curve(a_report())

    assert "probability of 0.3 costs 900 hours" in figure["summary"]
    assert [trace["name"] for trace in figure["json"]["data"]] == [
        "Model",
        "Today",
        "Chosen threshold",
    ]


def test_cost_curve_without_baseline_has_the_model_only():
    mission = {**RESULT["mission"], "baseline_per_1000": None}

    figure = report_figures.cost_curve(a_report(mission=mission))

    assert len(figure["json"]["data"]) == 2


def test_quality_of_several_classes_counts_right_answers():
    confusion = {"labels": ["a", "b", "c"], "matrix": [[5, 1, 0], [0, 4, 0], [0, 0, 6]]}

    (figure,) = report_figures.quality(
        a_report(confusion=confusion, curves=None, positives=None)
    )

    assert figure["summary"] == "15 of 16 rows are answered correctly."


def test_quality_of_two_classes_counts_alarms():
    figures = {f["id"]: f for f in report_figures.quality(a_report())}

    assert set(figures) == {"confusion", "roc", "precision-recall", "calibration"}
    assert figures["confusion"]["summary"] == (
        "28 of 40 positive rows are found, with 42 false alarms."
    )


def test_subgroups_speak_of_the_worst_group_that_is_large_enough():
    groups = RESULT["subgroups"][0]["groups"]
    worse = {"recall": {"value": 0.1, "low": 0.0, "high": 0.4}}
    part = {"column": "phase", "groups": [groups[0], {**groups[1], "measures": worse}]}

    figures = report_figures.subgroups(a_report(subgroups=[part]))

    assert [f["title"] for f in figures] == [
        "Recall by phase",
        "False alarm rate by phase",
    ]
    assert figures[0]["summary"].startswith("climb (180 rows) is served worst: 0.6")
    assert len(figures[0]["table"]["rows"]) == 2


def test_subgroups_without_any_value_are_not_drawn():
    unmeasured = {"recall": {"value": None, "low": None, "high": None}}
    group = {"group": "a", "rows": 3, "small": True, "measures": unmeasured}

    figures = report_figures.subgroups(
        a_report(subgroups=[{"column": "phase", "groups": [group]}])
    )

    assert figures == []


def test_subgroups_draw_the_overall_value_where_there_is_one():
    measures = [*RESULT["measures"], {"measure": "specificity", "value": 0.9}]

    with_value, without = (
        report_figures.subgroups(a_report(measures=found))[1]["json"]["layout"]
        for found in (measures, RESULT["measures"])
    )

    assert with_value["shapes"][0]["x0"] == pytest.approx(0.1)
    assert "shapes" not in without
