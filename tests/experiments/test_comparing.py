import pytest

from apps.core.errors import Invalid
from apps.experiments import comparing, comparison_pictures, queries
from apps.experiments.actions import MetricPoint
from apps.experiments.models import Run
from tests.factories import experiments as factory


@pytest.fixture
def experiment(project, data_scientist):
    return factory.experiment(project, data_scientist)


@pytest.fixture
def compared(experiment, data_scientist):
    """Compare runs, each given by the keywords of its content."""

    def compare(*contents) -> comparing.Comparison:
        runs = [factory.run(experiment, data_scientist, **one) for one in contents]
        return comparing.comparison(runs, set())

    return compare


def costs(*values):
    key = "test.mission_cost_per_1000"
    return [{"metrics": [MetricPoint(key, value)]} for value in values]


def test_sections_part_what_differs_from_what_is_the_same(compared):
    found = compared({"parameters": {"a": 1, "b": 3}}, {"parameters": {"a": 1, "b": 5}})

    parameters = found.sections()[1]
    assert [(line.key, line.cells) for line in parameters.different] == [
        ("b", ["3", "5"])
    ]
    assert [(line.key, line.cells) for line in parameters.same] == [("a", ["1", "1"])]


def test_what_one_run_lacks_differs(compared):
    found = compared({"parameters": {"a": 1}}, *costs(3.0))

    metrics, parameters, *_ = found.sections()
    assert len(metrics.different) == len(parameters.different) == 1


def test_origins_bring_data_code_and_environment_to_lines(compared):
    summary = {
        "rows": {"train": 60},
        "split_digest": "5" * 64,
        "figures": {"roc": []},
        "environment": {"python": "3.11.2", "packages": {"numpy": "2.3.1"}},
    }

    origins = compared({"summary": summary}, {}).sections()[3]

    assert [line.key for line in origins.different] == [
        "rows.train",
        "split_digest",
        "python",
        "packages.numpy",
    ]


def test_mission_cost_judges_first_and_the_lowest_is_best(compared):
    found = compared(*costs(900.0, 700.0, 800.0))

    assert found.judging_keys()[0] == "test.mission_cost_per_1000"
    assert found.best_by("test.mission_cost_per_1000") == [1]
    figure = comparison_pictures.judged(found, "test.mission_cost_per_1000")
    assert figure["summary"] == "Best: 2. Run."


def test_quantities_are_numbers_only_when_every_value_is(compared):
    found = compared(
        {"parameters": {"depth": 3, "features": "sqrt", "only": 1}},
        {"parameters": {"depth": 5, "features": 0.5}},
    )

    kinds = {one.key: one.is_number for one in found.quantities()}
    assert kinds == {"parameter:depth": True, "parameter:features": False}


def test_infinite_parameters_are_words(compared):
    found = compared({"parameters": {"a": "inf"}}, {"parameters": {"a": "nan"}})

    assert [one.values for one in found.quantities()] == [["inf", "nan"]]


def test_labels_name_few_runs_and_number_many(compared):
    few = compared({"name": "A"}, {"name": "A"})
    many = compared(*[{}] * 6)

    assert comparison_pictures.labels(few.runs) == ["1. A", "2. A"]
    assert comparison_pictures.labels(many.runs)[-1] == "Run 6"


def test_chosen_runs_keep_the_order_and_ignore_nonsense(experiment, data_scientist):
    first, second = (factory.run(experiment, data_scientist) for _ in range(2))
    ids = [str(second.pk), "nonsense", str(first.pk), str(second.pk)]

    assert comparing.chosen_runs(Run.objects.all(), ids) == [second, first]


@pytest.mark.parametrize("count", [0, 1, 21])
def test_chosen_runs_refuse_too_few_and_too_many(experiment, data_scientist, count):
    ids = [str(factory.run(experiment, data_scientist).pk) for _ in range(count)]

    with pytest.raises(Invalid, match="Choose 2 to 20 runs"):
        comparing.chosen_runs(Run.objects.all(), ids)


def test_the_best_of_many_is_found_without_comparing_each_with_each(monkeypatch):
    asked = []
    known = queries.is_improvement

    def counting(*given):
        asked.append(given)
        return known(*given)

    monkeypatch.setattr(queries, "is_improvement", counting)
    values = [{"test.recall": number / 100} for number in range(100)]

    cells = queries.metric_cells("test.recall", values)

    assert [place for place, cell in enumerate(cells) if cell.is_best] == [99]
    assert len(asked) == 1
