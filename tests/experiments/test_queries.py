import pytest

from apps.core.errors import Invalid
from apps.experiments import pictures, queries
from apps.experiments.actions import MetricPoint
from apps.experiments.models import Run
from apps.experiments.queries import Cell
from tests.factories import experiments as factory


@pytest.fixture
def experiment(project, data_scientist):
    return factory.experiment(project, data_scientist)


def test_main_keys_prefer_held_out_measures_in_the_order_of_the_catalogue():
    values = {
        "own": 1.0,
        "baseline.recall": 1.0,
        "validation.recall": 1.0,
        "test.recall": 1.0,
        "test.roc_auc": 1.0,
        "recall": 1.0,
    }

    assert queries.main_keys([values]) == [
        "test.roc_auc",
        "test.recall",
        "recall",
        "own",
    ]


def test_main_keys_take_what_is_there():
    assert queries.main_keys([{"baseline.recall": 1.0}]) == ["baseline.recall"]
    assert queries.main_keys([]) == []


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("test.recall", "Recall"),
        ("recall", "Recall"),
        ("baseline.recall", "Recall (baseline)"),
        ("search.recall", "search.recall"),
        ("loss", "loss"),
    ],
)
def test_metric_title_is_what_people_say(key, title):
    assert queries.metric_title(key) == title


def test_metric_cells_mark_the_best_by_its_direction():
    values = [{"test.brier": 0.2}, {"test.brier": 0.1}, {}]

    cells = queries.metric_cells("test.brier", values)

    assert cells == [Cell(0.2, 1.0, False), Cell(0.1, 0.5, True), Cell(None)]


def test_metric_cells_name_no_best_among_equals_or_unknown_directions():
    same = queries.metric_cells("test.recall", [{"test.recall": 1.0}] * 2)
    own = queries.metric_cells("own", [{"own": -1.0}, {"own": 2.0}])

    assert not any(cell.is_best for cell in [*same, *own])
    assert own[0].share == 0


def test_latest_metrics_take_the_last_step(experiment, data_scientist):
    points = [MetricPoint("loss", 0.9, 1), MetricPoint("loss", 0.3, 2)]
    run = factory.run(experiment, data_scientist, metrics=points)

    assert queries.latest_metrics([run]) == {run.pk: {"loss": 0.3}}


def test_comparison_puts_different_parameters_first(experiment, data_scientist):
    runs = [
        factory.run(experiment, data_scientist, parameters={"a": 1, "depth": depth})
        for depth in (3, 5)
    ]

    compared = queries.comparison(runs)

    assert [(line.key, line.cells, line.differs) for line in compared.parameters] == [
        ("depth", ["3", "5"], True),
        ("a", ["1", "1"], False),
    ]


def test_chosen_runs_keep_the_order_and_ignore_nonsense(experiment, data_scientist):
    first, second = (factory.run(experiment, data_scientist) for _ in range(2))
    ids = [str(second.pk), "nonsense", str(first.pk), str(second.pk)]

    assert queries.chosen_runs(Run.objects.all(), ids) == [second, first]


@pytest.mark.parametrize("count", [0, 1, 6])
def test_chosen_runs_refuse_too_few_and_too_many(experiment, data_scientist, count):
    ids = [str(factory.run(experiment, data_scientist).pk) for _ in range(count)]

    with pytest.raises(Invalid, match="Choose 2 to 5 runs"):
        queries.chosen_runs(Run.objects.all(), ids)


def test_key_figures_judge_against_the_baseline():
    values = {
        "test.roc_auc": 0.8,
        "baseline.roc_auc": 0.5,
        "test.brier": 0.3,
        "baseline.brier": 0.2,
        "test.recall": 0.4,
    }

    found = pictures.key_figures(values)

    assert [(f["label"], f.get("kind")) for f in found] == [
        ("Area under the ROC curve", "success"),
        ("Recall", None),
        ("Brier score", "warning"),
    ]
    assert found[0]["detail"] == "Without a model 0.5"


def test_measure_rows_part_measures_from_other_metrics():
    values = {"test.recall": 0.4, "baseline.recall": 0.1, "search.roc_auc": 0.7}

    measures, others = pictures.measure_rows(values)

    assert measures == [{"title": "Recall", "test": 0.4, "baseline": 0.1}]
    assert others == [{"key": "search.roc_auc", "value": 0.7}]


def test_run_figures_draw_what_is_there(experiment, data_scientist):
    points = [MetricPoint("loss", 1 / step, step) for step in (1, 2, 3)]
    full = factory.trained_run(experiment, data_scientist, metrics=points)
    bare = factory.run(experiment, data_scientist)

    drawn = pictures.run_figures(full, pictures.histories(full))

    assert [figure["id"] for figure in drawn] == [
        "roc",
        "precision-recall",
        "importance",
        "history-0",
    ]
    assert pictures.run_figures(bare, {}) == []


def test_comparison_figures_name_the_best(experiment, data_scientist):
    runs = [
        factory.run(
            experiment, data_scientist, metrics=[MetricPoint("test.recall", value)]
        )
        for value in (0.4, 0.6)
    ]
    runs.append(factory.run(experiment, data_scientist))

    (figure,) = pictures.comparison_figures(queries.comparison(runs))

    assert figure["summary"] == "Best: 2. Run."
    assert figure["table"]["rows"] == [["1. Run", 0.4], ["2. Run", 0.6]]
