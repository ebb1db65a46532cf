from apps.core.figures import Axes, Caption
from apps.core.figures_many import Point, Scale, parallel, scatter

CAPTION = Caption("f", "Title", "Summary.")


def drawn(*scales):
    names = [f"Run {n}" for n in range(len(scales[0].values))]
    return parallel(CAPTION, names, scales)


def across(figure) -> list[list[float | None]]:
    """Positions by scale."""
    return [
        list(row) for row in zip(*(t["x"] for t in figure["json"]["data"]), strict=True)
    ]


def test_parallel_spans_each_scale_from_lowest_to_highest():
    figure = drawn(
        Scale("depth", [2.0, 4.0, 3.0]), Scale("cost", [9.0, 5.0, 7.0], True)
    )

    assert across(figure) == [[0, 1, 0.5], [0, 1, 0.5]]


def test_parallel_draws_wide_ranges_by_powers_and_equal_values_in_the_middle():
    figure = drawn(Scale("alpha", [0.001, 0.1, 10.0]), Scale("same", [3.0, 3.0, 3.0]))

    assert across(figure) == [[0, 0.5, 1], [0.5, 0.5, 0.5]]


def test_parallel_spreads_words_and_leaves_a_gap_for_what_is_missing():
    figure = drawn(Scale("estimator", ["tree", "forest", None]))

    assert across(figure) == [[1, 0, None]]
    notes = [note["text"] for note in figure["json"]["layout"]["annotations"]]
    assert notes == ["estimator", "forest", "tree"]
    assert figure["table"]["rows"][2] == ["Run 2", "–"]


def test_parallel_takes_no_markup_from_titles():
    figure = drawn(Scale('<a href="https://x.example">x</a>', [1.0, 2.0]))

    assert "<a" not in figure["json"]["layout"]["annotations"][0]["text"]


def test_parallel_lets_the_best_stand_out():
    figure = parallel(CAPTION, ["1", "2"], [Scale("x", [1.0, 2.0])], best=[1])

    assert [trace["line"]["width"] for trace in figure["json"]["data"]] == [2, 4]
    assert figure["json"]["data"][0]["opacity"] < 1


def test_scatter_draws_wide_ranges_by_powers():
    points = [Point(f"{n}", f"{n}", 10.0**n, float(n)) for n in range(4)]

    layout = scatter(CAPTION, points, Axes("x", "y"))["json"]["layout"]

    assert layout["xaxis"]["type"] == "log"
    assert "type" not in layout["yaxis"]


def test_scatter_names_each_point_by_its_mark():
    figure = scatter(CAPTION, [Point("1. First", "1", 0.5, 0.25)], Axes("x", "y"))

    assert figure["json"]["data"][0]["text"] == ["1"]
    assert figure["table"]["rows"] == [["1. First", 0.5, 0.25]]
