"""Launching, watching, cancelling and comparing, with a real worker."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from apps.training.models import TrainingJob
from tests.factories import training

pytestmark = pytest.mark.browser

ROWS = 400
# A worker looks every two seconds whether it shall stop, and the page as often.
CANCEL_MILLISECONDS = 9_000


@pytest.fixture
def strikes(tmp_path: Path) -> Path:
    path = tmp_path / "strikes.csv"
    lines = [
        f"{40 + n * 7 % 160},{('Gull', 'Hawk', 'Goose')[n % 3]},"
        f"{'yes' if (n * 7 % 160 + n % 3 * 20) > 110 else 'no'}"
        for n in range(ROWS)
    ]
    path.write_text("\n".join(["speed,species,damaged", *lines]))
    return path


def test_a_scientist_launches_watches_and_compares(signed_in, running_worker, strikes):
    scientist = signed_in("data_scientist")
    upload(scientist, strikes)
    launch_with_the_form(scientist)
    launch_with_text(scientist)
    cancel(scientist)
    compare(scientist)

    statuses = TrainingJob.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["succeeded", "succeeded", "cancelled"]


def upload(scientist, strikes: Path) -> None:
    scientist.go("/projects/inspection/datasets/")
    scientist.follow("Upload a dataset")
    scientist.fill("Title", "Strikes")
    scientist.fill("Short name", "strikes")
    scientist.page.get_by_label("File").set_input_files(strikes)
    scientist.press("Upload")
    scientist.page.get_by_text("species").first.wait_for()
    scientist.go("/projects/inspection/experiments/create/")
    scientist.fill("Name", "Damage")
    scientist.press("Create experiment")


def launch_with_the_form(scientist) -> None:
    page = scientist.page
    scientist.go("/projects/inspection/training-jobs/")
    scientist.follow("Launch training")
    scientist.choose("Dataset version", f"Strikes, version 1 ({ROWS} rows)")
    scientist.press("Continue")
    scientist.choose("What to predict", "damaged")
    scientist.press("Continue")
    scientist.follow("Easy to explain")
    expect(page.locator("input[value=logistic_regression]")).to_be_checked()
    scientist.fill("Name", "Weighted evidence")
    page.locator("summary", has_text="Try several settings").click()
    page.locator("input[name=search_method][value=random] + label").click()
    scientist.fill("Settings to try at most", "3")
    scientist.look()
    scientist.picture("launch-form")
    scientist.press("Launch training")
    scientist.sees("Succeeded")
    expect(page).to_have_title(re.compile("Succeeded: Weighted evidence"))
    scientist.look()


def launch_with_text(scientist) -> None:
    page = scientist.page
    scientist.follow("Change and launch again")
    scientist.press("Show as YAML")
    editor = page.get_by_label("Spec", exact=True)
    text = editor.input_value()
    editor.fill(text.replace("estimator: logistic_regression", "estimator: oracle"))
    scientist.press("Check")
    line = text.split("\n").index("estimator: logistic_regression") + 1
    scientist.sees(f"Line {line}, estimator: must be one of")
    chosen = "() => document.activeElement.selectionStart"
    assert page.evaluate(chosen) == text.index("estimator: ")
    scientist.picture("launch-text")
    changed = re.sub(r"parameters:.*\n", "", text)
    changed = changed.replace("logistic_regression", "decision_tree")
    editor.fill(re.sub(r"search:\n(  .*\n)+", "", changed))
    scientist.fill("Name", "One tree")
    scientist.press("Check")
    scientist.sees("This spec can be launched")
    scientist.press("Launch training")
    scientist.sees("Succeeded")


def cancel(scientist) -> None:
    page = scientist.page
    scientist.follow("Change and launch again")
    scientist.fill("Name", "Too long")
    page.locator("summary", has_text="Try several settings").click()
    page.locator("input[name=search_method][value=random] + label").click()
    scientist.fill("Settings to try at most", "500")
    scientist.press("Launch training")
    expect(page.get_by_text("Running").first).to_be_visible()
    scientist.picture("training-job")
    page.get_by_role("button", name="Cancel training").click()
    stopped = page.get_by_text("It was stopped before it had a result.")
    expect(stopped).to_be_visible(timeout=CANCEL_MILLISECONDS)
    scientist.look()


def compare(scientist) -> None:
    page = scientist.page
    scientist.go("/projects/inspection/runs/")
    for name in ("Weighted evidence", "One tree"):
        scientist.tick(f"Choose {name}")
    scientist.press("Compare chosen runs")
    scientist.sees("Parallel coordinates")
    expect(page.locator("#compare-parallel .main-svg").first).to_be_visible()
    scientist.choose("Scatter: across", "Recall")
    scientist.press("Show")
    assert "x=metric%3Atest.recall" in page.url
    scientist.picture("comparison")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert "Weighted evidence" in Path(download.value.path()).read_text()


def test_a_live_figure_grows_without_being_drawn_anew(signed_in, world):
    job = training.running_job(world.project, world.data_scientist)
    rows = TrainingJob.objects.filter(pk=job.pk)
    points = [["search.roc_auc", step, step / 10] for step in range(1, 8)]
    rows.update(live_metrics=points[:3], log_tail="First line\n", progress_ratio=0.2)
    scientist = signed_in("data_scientist")
    page = scientist.page
    scientist.go(job.get_absolute_url())
    plot = page.locator("[data-live]")
    expect(plot.locator(".main-svg").first).to_be_visible()
    plot.evaluate("plot => (plot.seen = true)")
    page.locator("summary", has_text="Show the numbers as a table").click()

    rows.update(live_metrics=points, log_tail="Second line\n", progress_ratio=0.6)

    scientist.sees("Second line")
    expect(page).to_have_title(re.compile("60%"))
    expect(page.get_by_text("0.7 at trial 7")).to_be_visible()
    assert plot.evaluate("plot => plot.seen && plot.data[0].x.length") == len(points)
    expect(page.locator(".figure__table[open]")).to_be_visible()
    scientist.look()
