"""A run while it goes on, its files and its note, as a data scientist looks at it."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from apps.experiments import actions
from apps.experiments.actions import (
    LogBatch,
    LoggedModelStart,
    LoggedPoint,
    RunChange,
    RunStart,
)
from apps.experiments.models import Run, RunStatus
from tests.experiments.test_onnx_summary import model
from tests.factories import experiments as factory

pytestmark = pytest.mark.browser

START = 1_700_000_000_000


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(file, "PNG")
    return file.getvalue()


FILES = {
    "figures/plot.png": picture(),
    "model/model.onnx": model(),
    "model/model.pkl": b"a pickle",
    "tables/rows.csv": b"speed,species\n40,Gull\n",
    "README.md": b"# Read me\n\n<script>alert(1)</script>",
}


def log(run: Run, by, first: int, count: int) -> None:
    points = [
        LoggedPoint(key, START + n * 1000, n, 1 / (n + 1))
        for n in range(first, first + count)
        for key in ("gain", "loss", "system/cpu")
    ]
    actions.log_batch(run=run, batch=LogBatch(metrics=points), by=by)


def run_of(world) -> Run:
    by = world.data_scientist
    experiment = factory.experiment(world.project, by)
    tags = {"stage": "trial"}
    start = RunStart(name="Wide network", claimed_user="jo", tags=tags)
    run = actions.start_run(experiment=experiment, start=start, by=by)
    parameters = [(f"layer.{n}", str(n)) for n in range(12)]
    actions.log_batch(run=run, batch=LogBatch(parameters=parameters), by=by)
    for path, content in FILES.items():
        actions.log_artifact(run=run, file=factory.artifact(path, content), by=by)
    log(run, by, 0, 40)
    return run


def test_a_scientist_follows_a_run_and_looks_into_it(signed_in, world):
    run = run_of(world)
    scientist = signed_in("data_scientist")
    scientist.go(run.get_absolute_url())
    follow(scientist, run, world.data_scientist)
    choose(scientist)
    find_a_parameter(scientist)
    open_files(scientist)
    change_tags(scientist)
    write_a_note(scientist)
    scientist.picture("run")
    for address in pages_beside(run, world.data_scientist):
        scientist.go(address)
        scientist.fits()


def pages_beside(run: Run, by) -> list[str]:
    start = LoggedModelStart(name="forest", source_run=run, parameters={"depth": "4"})
    made = actions.create_logged_model(experiment=run.experiment, start=start, by=by)
    file = factory.artifact("model.onnx", model())
    actions.log_model_file(model=made, file=file, by=by)
    return [
        f"/runs/{run.pk}/system-metrics/",
        f"/runs/{run.pk}/files/?in=model",
        f"/runs/{run.pk}/preview/tables/rows.csv",
        f"/logged-models/{made.pk}/",
        f"/logged-models/{made.pk}/preview/model.onnx",
    ]


def follow(scientist, run: Run, by) -> None:
    scientist.sees("in 40 points")
    plot = scientist.page.get_by_role("img", name="loss by step")
    expect(plot.locator("svg").first).to_be_visible()
    log(run, by, 40, 10)
    scientist.sees("in 50 points")
    expect(plot.locator("svg").first).to_be_visible()
    change = RunChange(status=RunStatus.FINISHED)
    actions.update_run(run=run, change=change, by=by)
    scientist.sees("Finished")
    expect(scientist.page.locator("#run-progress[hx-trigger]")).to_have_count(0)


def choose(scientist) -> None:
    page = scientist.page
    scientist.choose("Scale", "Logarithmic")
    scientist.choose("Smoothing", "Strong")
    scientist.sees("Smoothed with weight 0.9")
    scientist.tick("All in one picture")
    expect(page.get_by_role("heading", name="Metrics by step")).to_be_visible()
    expect(page.locator("#run-progress .figure")).to_have_count(1)
    scientist.look()


def find_a_parameter(scientist) -> None:
    shown = scientist.page.locator("#parameters > div:visible")
    expect(shown).to_have_count(12)
    scientist.fill("Parameters that contain", "layer.11")
    expect(shown).to_have_count(1)
    scientist.fill("Parameters that contain", "")


def open_files(scientist) -> None:
    page = scientist.page
    preview = page.locator("#preview")
    scientist.follow("README.md", exact=True)
    expect(preview.get_by_role("heading", name="Read me")).to_be_visible()
    scientist.follow("model", exact=True)
    scientist.follow("model.onnx", exact=True)
    expect(preview).to_contain_text("float32 [rows, 4]")
    scientist.follow("model.pkl", exact=True)
    expect(preview).to_contain_text("never opens one")
    scientist.follow("All artifacts")
    scientist.follow("tables", exact=True)
    scientist.follow("rows.csv", exact=True)
    expect(preview.get_by_role("cell", name="Gull")).to_be_visible()
    scientist.follow("All artifacts")
    scientist.follow("figures", exact=True)
    scientist.follow("plot.png", exact=True)
    drawn = page.locator(".preview__picture")
    expect(drawn).to_have_js_property("naturalWidth", 40)


def change_tags(scientist) -> None:
    page = scientist.page
    page.locator("summary", has_text="Change").first.click()
    scientist.fill("Value of stage", "keep")
    page.locator(".tag-change").get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="keep")).to_be_visible()
    page.locator("summary", has_text="Add a tag").click()
    page.get_by_label("Tag", exact=True).fill("team")
    scientist.fill("Value (optional)", "wildlife")
    scientist.press("Add tag")
    expect(page.get_by_role("cell", name="wildlife")).to_be_visible()


def write_a_note(scientist) -> None:
    page = scientist.page
    scientist.follow("Write a note")
    page.get_by_label("Note").fill("# Why\n\nIt is **wide**.")
    scientist.press("Preview")
    expect(page.locator("#note-preview strong")).to_have_text("wide")
    scientist.fits()
    scientist.press("Save")
    expect(page.locator(".prose strong")).to_have_text("wide")
