"""Still pictures of figures: well-formed, with every number and no markup of others."""

from xml.etree import ElementTree

import pytest

from apps.core import figures
from apps.core.drawings import svg
from apps.core.figures import Axes, Caption, Interval, Line


def tree(drawn):
    return ElementTree.fromstring(svg(drawn))  # noqa: S314  # our own


NASTY = "<b>'&\""
CAPTION = Caption("one", f"Title {NASTY}", "Says it.")
AXES = Axes(f"Across {NASTY}", f"Up {NASTY}")
LINE = Line(NASTY, [0.0, 1.0, 2.0], [5.0, 7.5, 6.0])
NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawings():
    yield figures.curve(CAPTION, [LINE, LINE], AXES, reference=LINE)
    yield figures.curve(CAPTION, [Line("flat", [1.0], [3.0])], AXES)
    yield figures.bars(CAPTION, [NASTY, "b" * 99], [-3.0, 4.0], AXES)
    yield figures.heatmap(CAPTION, [NASTY, "no"], [[3, 1], [0, 0]], AXES)
    yield figures.calibration(CAPTION, [0.1, 0.6], [0.2, 0.5], [10, 20])
    yield figures.intervals(
        CAPTION, [Interval(NASTY, 0.5, 0.4, 0.7)], AXES, reference=0.6
    )
    yield figures.bars(CAPTION, [], [], AXES)


@pytest.mark.parametrize("place", range(7))
def test_svg_is_well_formed_and_named(place):
    root = tree(list(drawings())[place])

    assert root.tag == f"{NAMESPACE}svg"
    assert root.get("aria-label") == f"{CAPTION.title}. Says it."
    tags = {element.tag.removeprefix(NAMESPACE) for element in root.iter()}
    assert tags <= {"svg", "path", "text", "circle", "rect"}


def test_svg_draws_bars_to_scale_from_zero():
    drawn = figures.bars(CAPTION, ["a", "b"], [10.0, 20.0], AXES)

    root = tree(drawn)

    short, long = (float(bar.get("width")) for bar in root.iter(f"{NAMESPACE}rect"))
    assert long == pytest.approx(2 * short, abs=0.2)


def test_svg_of_lines_keeps_inside_and_names_them():
    root = tree(figures.curve(CAPTION, [LINE, LINE], AXES))

    texts = [text.text for text in root.iter(f"{NAMESPACE}text")]
    assert texts.count(NASTY) == 2
    assert {"0", "0.5", "1", "2"} <= set(texts)


def test_svg_of_a_matrix_shows_every_count():
    drawn = figures.heatmap(CAPTION, ["no", "yes"], [[1200, 3], [4, 50]], AXES)

    texts = [t.text for t in tree(drawn).iter(f"{NAMESPACE}text")]

    assert {"1,200", "3", "4", "50"} <= set(texts)
