from __future__ import annotations

import json

import pytest

from apps.core import figures, gallery
from apps.core.figure_style import COLOURS, LONGEST_BESIDE, MAX_POINTS
from apps.core.figures import Axes, Caption, Interval, Line
from apps.core.figures_pairs import overlaid_histograms, paired_bars

CAPTION = Caption("f", "Title", "Summary.")
AXES = Axes("Across", "Up")


def relative_luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("figure", gallery.samples()["figures"], ids=lambda f: f["id"])
def test_every_figure_is_small_plain_json_with_a_table(figure):
    assert json.loads(json.dumps(figure)) == figure
    assert len(json.dumps(figure["json"])) < 10_000
    assert figure["table"]["rows"]
    widths = {len(row) for row in figure["table"]["rows"]}
    assert widths == {len(figure["table"]["columns"])}


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_stand_out_from_white(colour):
    assert 1.05 / (relative_luminance(colour) + 0.05) >= 3


def test_curve_thins_long_lines_and_keeps_their_ends():
    steps = list(range(5001))

    figure = figures.curve(CAPTION, [Line("Long", steps, steps)], AXES)

    drawn = figure["json"]["data"][0]["x"]
    assert len(drawn) == MAX_POINTS
    assert (drawn[0], drawn[-1]) == (0, 5000)
    assert len(figure["table"]["rows"]) == MAX_POINTS


def test_curve_shows_a_legend_only_when_there_is_a_choice():
    line = Line("Only", [0, 1], [0, 1])

    alone = figures.curve(CAPTION, [line], AXES)
    compared = figures.curve(CAPTION, [line], AXES, reference=Line("Chance", [0], [0]))

    assert alone["json"]["layout"]["showlegend"] is False
    assert compared["json"]["layout"]["showlegend"] is True
    assert len(compared["table"]["rows"]) == 2


def test_lines_differ_in_dash_as_well_as_colour():
    lines = [Line(name, [0, 1], [0, 1]) for name in "abc"]

    drawn = figures.line_history(CAPTION, lines, AXES)["json"]["data"]

    assert len({trace["line"]["dash"] for trace in drawn}) == 3
    assert len({trace["line"]["color"] for trace in drawn}) == 3


def test_bars_keep_their_order_from_the_top():
    figure = figures.bars(CAPTION, ["first", "second"], [0.123456789, 2], AXES)

    assert figure["json"]["layout"]["yaxis"]["autorange"] == "reversed"
    assert figure["table"]["rows"] == [["first", 0.12346], ["second", 2.0]]


def test_heatmap_shades_by_row_and_prints_counts():
    figure = figures.heatmap(CAPTION, ["no", "yes"], [[3000, 1000], [0, 0]], AXES)

    trace = figure["json"]["data"][0]
    assert trace["z"] == [[0.75, 0.25], [0.0, 0.0]]
    assert trace["text"][0] == ["3,000", "1,000"]
    assert figure["table"]["rows"][0] == ["no", 3000, 1000]


def test_calibration_draws_larger_marks_for_larger_bins():
    figure = figures.calibration(CAPTION, [0.1, 0.9], [0.2, 0.8], [900, 100])

    small, large = sorted(figure["json"]["data"][0]["marker"]["size"])
    assert small < large
    assert figure["table"]["rows"] == [[0.1, 0.2, 900], [0.9, 0.8, 100]]


def test_intervals_turn_bounds_into_error_bars():
    rows = [Interval("Night", 0.5, 0.3, 0.6)]

    plain = figures.intervals(CAPTION, rows, AXES)
    compared = figures.intervals(CAPTION, rows, AXES, reference=0.4)

    error = plain["json"]["data"][0]["error_x"]
    assert error["array"] == [0.1]
    assert error["arrayminus"] == [0.2]
    assert "shapes" not in plain["json"]["layout"]
    assert compared["json"]["layout"]["shapes"][0]["x0"] == 0.4
    assert plain["table"]["rows"] == [["Night", 0.5, 0.3, 0.6]]


def test_lists_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        figures.bars(CAPTION, ["one", "two"], [1.0], AXES)


@pytest.mark.parametrize(
    ("steps", "marked"), [([1, 2], [1, 2]), ([0.5, 2], None), (range(40), None)]
)
def test_a_short_history_marks_whole_steps_only(steps, marked):
    lines = [Line("one", list(steps), [1.0] * len(steps))]

    layout = figures.line_history(CAPTION, lines, AXES)["json"]["layout"]

    assert layout["xaxis"].get("tickvals") == marked


def test_a_long_title_of_the_lower_axis_breaks():
    axes = Axes("Cost of errors per 1,000 cases (hours)", "")

    layout = figures.bars(CAPTION, ["one"], [1.0], axes)["json"]["layout"]

    title = layout["xaxis"]["title"]["text"]
    assert title == "Cost of errors per 1,000<br>cases (hours)"


def test_overlaid_histograms_compare_shares_and_list_counts():
    pair = (("Old", [1, 3]), ("New", [0, 0]))

    figure = overlaid_histograms(CAPTION, [0, 1, 2], pair, AXES)

    old, new = figure["json"]["data"]
    assert (old["x"], old["y"]) == ([0, 1, 2], [0.25, 0.75, 0.75])
    assert new["y"] == [0, 0, 0]
    assert old["line"]["dash"] != new["line"]["dash"]
    assert figure["table"] == {
        "columns": ["From", "To", "Old", "New"],
        "rows": [[0, 1, 1, 0], [1, 2, 3, 0]],
    }


def test_paired_bars_differ_in_pattern_as_well_as_colour():
    pair = (("Old", [1, 3]), ("New", [2, 2]))

    figure = paired_bars(CAPTION, ["a", "b"], pair, AXES)

    old, new = figure["json"]["data"]
    assert (old["x"], new["x"]) == ([0.25, 0.75], [0.5, 0.5])
    assert old["marker"] != new["marker"]
    assert figure["table"]["rows"] == [["a", 1, 2], ["b", 3, 2]]


LINK = '<a href="https://elsewhere.example/">Sign in & go</a>'


def test_names_and_titles_are_drawn_as_text():
    line = Line(LINK, [0, 1], [0, 1])

    drawn = figures.line_history(CAPTION, [line], Axes(LINK, LINK))["json"]

    layout = drawn["layout"]
    shown = [drawn["data"][0]["name"]]
    shown += [layout[axis]["title"]["text"] for axis in ("xaxis", "yaxis")]
    for text in shown:
        assert "<a" not in text
        assert text.startswith("&lt;a")


def test_labels_of_bars_are_drawn_as_text_and_kept_in_the_table():
    figure = figures.bars(CAPTION, ["<b>a</b> & b"], [1.0], AXES)

    assert figure["json"]["data"][0]["y"] == ["&lt;b&gt;a&lt;/b&gt; &amp; b"]
    assert figure["table"]["rows"] == [["<b>a</b> & b", 1.0]]


def test_a_long_title_of_the_upright_axis_is_cut():
    figure = figures.line_history(CAPTION, [Line("a", [0], [0])], Axes("x", "y" * 250))

    assert len(figure["json"]["layout"]["yaxis"]["title"]["text"]) == LONGEST_BESIDE
