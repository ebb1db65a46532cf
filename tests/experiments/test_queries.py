import pytest

from apps.experiments import pictures, queries
from apps.experiments.actions import MetricPoint
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
        ("search.recall", "Recall (search)"),
        ("train.recall", "train.recall"),
        ("validation.log_loss", "Log loss (validation)"),
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


@pytest.mark.parametrize(
    ("key", "source", "counted"),
    [
        ("search.roc_auc", "training", "Trial"),
        ("validation.log_loss", "training", "Tree"),
        ("training.loss", "training", "Pass"),
        ("test.recall", "training", "Step"),
        ("training.loss", "code", "Step"),
        ("search.roc_auc", "api", "Step"),
    ],
)
def test_steps_are_named_by_what_the_engine_counts(key, source, counted):
    assert queries.counted_by(key, source) == counted


def test_run_figures_draw_what_is_there(experiment, data_scientist):
    full = factory.trained_run(experiment, data_scientist)
    bare = factory.run(experiment, data_scientist)

    drawn = pictures.run_figures(full)

    assert [figure["id"] for figure in drawn] == [
        "roc",
        "precision-recall",
        "importance",
    ]
    assert pictures.run_figures(bare) == []
