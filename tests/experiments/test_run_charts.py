"""Metrics of a run, thinned and drawn."""

import math
import random
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.experiments import actions
from apps.experiments.actions import (
    LogBatch,
    LoggedPoint,
    MetricPoint,
    RunChange,
    RunStart,
)
from apps.experiments.metric_history import (
    MOST_OF_EACH,
    MOST_WHOLE,
    STRETCHES,
    Counted,
    Point,
    compared_histories,
    counted_points,
    pause_seconds,
    read_histories,
    smoothed,
)
from apps.experiments.models import Metric, Run, RunStatus
from apps.experiments.run_pictures import ChartChoice, drawable, history_figures
from tests.costs import queries_of
from tests.factories import experiments as factory

START = 1_700_000_000_000


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def run(project, data_scientist) -> Run:
    experiment = factory.experiment(project, data_scientist)
    start = RunStart(name="Slow one", claimed_user="jo")
    return actions.start_run(experiment=experiment, start=start, by=data_scientist)


def log(run: Run, by, key: str, values, *, milliseconds: int = 1_000) -> None:
    points = [
        LoggedPoint(key, START + n * milliseconds, n, value)
        for n, value in enumerate(values)
    ]
    actions.log_batch(run=run, batch=LogBatch(metrics=points), by=by)


def draw(run: Run, choice: ChartChoice):
    counted = counted_points(run)
    keys = choice.keys or drawable(counted)
    return history_figures(run, keys, choice, counted)


def test_few_points_are_drawn_one_by_one(run, data_scientist):
    log(run, data_scientist, "loss", [3.0, 1.0, 2.0])

    found = read_histories(run, counted_points(run))["loss"]

    assert found.points == found.middles == [(0, 3.0), (1, 1.0), (2, 2.0)]
    assert not found.is_thinned


def test_thinning_keeps_both_ends_and_every_extreme(run):
    values = [random.Random(n).gauss(0, 1) for n in range(20_000)]
    values[7_777], values[13_001] = 99.0, -99.0
    Metric.objects.bulk_create(
        Metric(run=run, key="loss", timestamp=START + n, step=n, value=value)
        for n, value in enumerate(values)
    )

    found = read_histories(run, counted_points(run))["loss"]

    assert found.total == 20_000
    assert len(found.points) <= MOST_WHOLE
    assert (found.points[0], found.points[-1]) == (
        (0, values[0]),
        (19_999, values[-1]),
    )
    assert {(7_777, 99.0), (13_001, -99.0)} <= set(found.points)
    assert [point.x for point in found.points] == sorted(p.x for p in found.points)
    assert all(values[point.x] == point.value for point in found.points)
    means = [point.value for point in found.middles]
    assert sum(means) / len(means) == pytest.approx(sum(values) / 20_000, abs=0.001)


def test_each_stretch_keeps_its_lowest_and_highest_point_with_gaps_and_repeats(run):
    random_steps = random.Random(7)
    steps = sorted(random_steps.choices([*range(300), *range(90_000, 90_900)], k=5_000))
    values = [random_steps.gauss(0, 1) for _ in steps]
    Metric.objects.bulk_create(
        Metric(run=run, key="loss", timestamp=START + n, step=step, value=value)
        for n, (step, value) in enumerate(zip(steps, values, strict=True))
    )

    drawn = read_histories(run, counted_points(run))["loss"].points

    width = (steps[-1] - steps[0]) / STRETCHES
    stretches: dict[int, list[tuple[int, float]]] = {}
    for step, value in zip(steps, values, strict=True):
        stretch = min(int((step - steps[0]) / width), STRETCHES - 1)
        stretches.setdefault(stretch, []).append((step, value))
    for points in stretches.values():
        kept = {points[0], points[-1], min(points, key=_value), max(points, key=_value)}
        assert kept <= set(drawn)
    assert set(drawn) <= set(zip(steps, values, strict=True))


def _value(point: tuple[int, float]) -> float:
    return point[1]


def test_many_points_of_one_step_are_one_stretch(run):
    Metric.objects.bulk_create(
        Metric(run=run, key="loss", timestamp=START + n, step=0, value=float(n % 700))
        for n in range(1_000)
    )

    found = read_histories(run, counted_points(run))["loss"]

    assert found.points == [(0, 0.0), (0, 699.0), (0, 299.0)]
    assert found.is_thinned


def test_compared_runs_keep_both_ends_and_every_extreme(run, data_scientist):
    short, long = (
        factory.run(
            run.experiment,
            data_scientist,
            metrics=[
                MetricPoint("loss", -9.0 if step == 477 else 1 / step, step)
                for step in range(1, steps)
            ],
        )
        for steps in (4, 951)
    )

    found = compared_histories([long, short, run], "loss")

    assert found.keys() == {long.pk, short.pk}
    assert len(found[long.pk]) <= MOST_OF_EACH
    assert (found[long.pk][0], found[long.pk][-1]) == ((1, 1.0), (950, 1 / 950))
    assert (477, -9.0) in found[long.pk]
    assert found[short.pk] == [(1, 1.0), (2, 0.5), (3, 1 / 3)]


def test_many_points_are_thinned_without_sorting_them(run):
    Metric.objects.bulk_create(
        Metric(run=run, key="loss", timestamp=START + n, step=n, value=float(n))
        for n in range(20_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE experiments_metric")
        cursor.execute("SET LOCAL work_mem = '64kB'")  # small, as for a million

    with CaptureQueriesContext(connection) as queries:
        read_histories(run, counted_points(run))
    (asked,) = [one["sql"] for one in queries if "ARRAY[" in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked}")
        plan = cursor.fetchone()[0][0]["Plan"]

    assert not [part for part in _parts(plan) if "Sort" in part["Node Type"]]
    assert plan["Temp Written Blocks"] == 0


def _parts(plan):
    yield plan
    for below in plan.get("Plans", []):
        yield from _parts(below)


def test_thinning_survives_the_largest_numbers(run):
    largest = 1.7976931348623157e308
    Metric.objects.bulk_create(
        Metric(run=run, key="loss", timestamp=n, step=n, value=largest)
        for n in range(MOST_WHOLE + 1)
    )

    found = read_histories(run, counted_points(run))["loss"]

    assert {point.value for point in found.points} == {largest}


def test_points_follow_time_where_that_is_asked(run, data_scientist):
    points = [
        LoggedPoint("loss", START + 2_000, 0, 2.0),
        LoggedPoint("loss", START, 5, 1.0),
    ]
    actions.log_batch(run=run, batch=LogBatch(metrics=points), by=data_scientist)

    found = read_histories(run, counted_points(run), order="timestamp")["loss"]

    assert found.points == [(START, 1.0), (START + 2_000, 2.0)]


@pytest.mark.parametrize(
    ("weight", "expected"), [(0.0, [4.0, 0.0, 8.0]), (0.5, [4.0, 4 / 3, 36 / 7])]
)
def test_smoothing_leans_on_the_past_and_not_on_zero(weight, expected):
    points = [Point(0, 4.0), Point(1, 0.0), Point(2, 8.0)]

    found = smoothed(points, weight)

    assert [point.value for point in found] == pytest.approx(expected)


def test_a_picture_tells_what_it_does_not_show(run, data_scientist):
    values = [1.0, math.nan, math.inf, -math.inf, 0.0, 2.0]
    log(run, data_scientist, "loss", values)

    (figure,) = draw(run, ChartChoice(is_log=True))

    assert figure["json"]["layout"]["yaxis"]["type"] == "log"
    assert figure["json"]["data"][0]["y"] == [1.0, 2.0]
    for sentence in (
        "1 that are not a number (NaN)",
        "2 infinite",
        "1 not above zero",
    ):
        assert sentence in figure["summary"]


def test_a_metric_without_a_drawable_point_has_no_picture(run, data_scientist):
    log(run, data_scientist, "loss", [math.nan, math.nan])

    assert draw(run, ChartChoice()) == []


@pytest.mark.parametrize(
    ("milliseconds", "title", "last"),
    [
        (1_000, "Time since the first point (s)", 2.0),
        (120_000, "Time since the first point (minutes)", 4.0),
        (7_200_000, "Time since the first point (hours)", 4.0),
    ],
)
def test_relative_time_has_a_unit_that_fits(
    run, data_scientist, milliseconds, title, last
):
    log(run, data_scientist, "loss", [3.0, 2.0, 1.0], milliseconds=milliseconds)

    (figure,) = draw(run, ChartChoice(x="relative"))

    assert figure["table"]["columns"][1] == title
    assert figure["json"]["data"][0]["x"][-1] == last


def test_time_is_a_date_in_picture_and_table(run, data_scientist):
    log(run, data_scientist, "loss", [3.0, 2.0])

    (figure,) = draw(run, ChartChoice(x="time"))

    assert figure["json"]["layout"]["xaxis"]["type"] == "date"
    assert figure["table"]["rows"][0][1] == "2023-11-14 22:13:20 UTC"


def test_a_time_out_of_every_calendar_is_a_number(run, data_scientist):
    points = [LoggedPoint("loss", 2**62 + n, n, 1.0) for n in range(2)]
    actions.log_batch(run=run, batch=LogBatch(metrics=points), by=data_scientist)

    (figure,) = draw(run, ChartChoice(x="time"))

    assert figure["table"]["rows"][0][1] == str(2**62)


def test_lines_lie_together_when_asked(run, data_scientist):
    log(run, data_scientist, "loss", [3.0, 2.0])
    log(run, data_scientist, "gain", [0.1, 0.2])

    (figure,) = draw(run, ChartChoice(together=True, smoothing=0.6))

    assert [one["name"] for one in figure["json"]["data"]] == [
        *("gain", "gain", "loss", "loss")
    ]
    assert "Smoothed with weight 0.6" in figure["summary"]


def test_run_page_draws_what_is_asked_and_ignores_what_it_does_not_know(
    client, run, data_scientist
):
    log(run, data_scientist, "loss", [3.0, 2.0])
    log(run, data_scientist, "accuracy", [0.1, 0.2])
    address = f"{run.get_absolute_url()}?metric=loss&metric=x&x=weeks&smoothing=2"

    page = client.get(address)

    assert [one["title"] for one in page.context["charts"]] == ["loss by step"]
    assert page.context["chart_form"].choice.smoothing == 0


def test_progress_asks_again_until_the_run_has_ended(client, run, data_scientist):
    log(run, data_scientist, "loss", [3.0, 2.0])
    address = f"/runs/{run.pk}/progress/"

    running = client.get(f"{address}?scale=log").text
    change = RunChange(status=RunStatus.FINISHED)
    actions.update_run(run=run, change=change, by=data_scientist)
    ended = client.get(address).text

    again = f'hx-get="{address}?scale=log&amp;seen=RUNNING-2" hx-trigger="every 5s"'
    assert again in running
    assert "Running" in running
    assert "hx-trigger" not in ended
    assert "Finished" in ended


@pytest.mark.parametrize("part", ["progress", "system-metrics"])
def test_a_page_is_sent_again_only_when_there_is_news(
    client, run, data_scientist, part
):
    log(run, data_scientist, "loss", [3.0])
    address = f"/runs/{run.pk}/{part}/?seen=RUNNING-1"

    with CaptureQueriesContext(connection) as queries:
        quiet = client.get(address)
    log(run, data_scientist, "loss", [2.0, 1.0])
    news = client.get(address)
    change = RunChange(status=RunStatus.FINISHED)
    actions.update_run(run=run, change=change, by=data_scientist)
    ended = client.get(f"/runs/{run.pk}/{part}/?seen=FINISHED-3")

    assert (quiet.status_code, quiet.content) == (204, b"")
    assert not [one for one in queries if "metric" in one["sql"].partition("FROM")[2]]
    assert "seen=RUNNING-3" in news.text
    assert ended.status_code == 200


def test_the_page_of_a_run_with_thousands_of_metrics_sends_the_first(
    client, run, data_scientist
):
    points = [LoggedPoint(f"m{n:04}", START, 0, 1.0) for n in range(1_000)]
    actions.log_batch(run=run, batch=LogBatch(metrics=points), by=data_scientist)
    address = f"/runs/{run.pk}/progress/"

    first = client.get(address)
    every = client.get(f"{address}?every_metric=1")

    assert "The first 200 of 1,000 metrics" in " ".join(first.text.split())
    assert "<code>m0199</code>" in first.text
    assert "<code>m0200</code>" not in first.text
    assert "<code>m0999</code>" in every.text
    assert "The first" not in every.text
    assert len(first.content) < len(every.content) / 3


def test_system_metrics_stand_apart(client, run, data_scientist):
    log(run, data_scientist, "system/cpu_utilization_percentage", [30.0, 40.0])
    log(run, data_scientist, "loss", [3.0, 2.0])

    page = client.get(run.get_absolute_url())
    apart = client.get(f"/runs/{run.pk}/system-metrics/")
    fragment = client.get(
        f"/runs/{run.pk}/system-metrics/", headers={"HX-Request": "true"}
    )

    assert "cpu_utilization" not in page.text
    assert [one["title"] for one in page.context["charts"]] == ["loss by step"]
    assert "cpu_utilization_percentage" in apart.text
    assert "<html" in apart.text
    assert "<html" not in fragment.text
    assert len(apart.context["charts"]) == 1


def test_the_page_says_what_the_last_value_is_when_it_is_none(
    client, run, data_scientist
):
    log(run, data_scientist, "loss", [1.0, math.nan])
    log(run, data_scientist, "gain", [1.0, -math.inf])

    page = client.get(run.get_absolute_url()).text

    assert "not a number (NaN)" in page
    assert "minus infinite" in page


def test_the_page_costs_the_same_however_much_was_measured(
    client, project, run, data_scientist
):
    log(run, data_scientist, "loss", [1.0, 2.0])
    few = queries_of(client, run.get_absolute_url())
    for number in range(12):
        log(run, data_scientist, f"m{number}", [float(n) for n in range(30)])

    assert queries_of(client, run.get_absolute_url()) == few <= 40


def test_the_address_holds_how_charts_are_wanted(client, run, data_scientist):
    log(run, data_scientist, "loss", [3.0, 2.0])
    log(run, data_scientist, "system/cpu_utilization_percentage", [30.0, 40.0])
    asked = {"HX-Request": "true", "HX-Trigger": "chart-form"}

    for path, page in (
        ("progress", run.get_absolute_url()),
        ("system-metrics", f"/runs/{run.pk}/system-metrics/"),
    ):
        address = f"/runs/{run.pk}/{path}/?scale=log"
        chosen = client.get(address, headers=asked)
        again = client.get(address, headers={"HX-Request": "true"})

        assert chosen["HX-Replace-Url"] == f"{page}?scale=log"
        assert "HX-Replace-Url" not in again


@pytest.mark.parametrize(
    ("points", "keys", "seconds"),
    [(20_000, 1, 5), (501, 501, 30), (20_001, 1, 30), (1_000_000, 1, 120)],
)
def test_a_page_reads_again_the_less_often_the_more_there_is(points, keys, seconds):
    each = Counted(points // keys, 0, 0, 0, 0)

    assert pause_seconds({f"m{n}": each for n in range(keys)}) == seconds


def test_metrics_to_draw_are_ticked_as_they_are_drawn(client, run, data_scientist):
    for key in ("loss", "other"):
        log(run, data_scientist, key, [3.0, 2.0])

    page = client.get(f"{run.get_absolute_url()}?metric=other").text

    boxes = re.findall(r'<input[^>]*name="metric"[^>]*>', page)
    assert [("checked" in box, 'value="other"' in box) for box in boxes] == [
        (False, False),
        (True, True),
    ]


def test_what_was_never_a_finite_number_is_not_offered():
    counted = {
        "nan": Counted(3, 3, 0, 0, 0),
        "both": Counted(3, 1, 2, 0, 0),
        "mixed": Counted(3, 1, 1, 0, 0),
    }

    assert drawable(counted) == ["mixed"]
