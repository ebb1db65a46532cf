"""The table of runs under a keyboard, and many runs changed at once."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from apps.experiments import actions
from apps.experiments.actions import LogBatch, LoggedPoint, RunStart
from apps.experiments.models import Run, RunTag
from tests.browser.keyboard import Keyboard
from tests.factories import experiments as factory

pytestmark = pytest.mark.browser
MODELS = ("tree", "forest", "boosting")


@pytest.fixture
def experiment(committed, world):
    made = factory.experiment(world.project, world.data_scientist, "Strikes")
    for number in range(6):
        run = actions.start_run(
            experiment=made,
            start=RunStart(name=f"run {number}", tags={"team": "air"}),
            by=world.data_scientist,
        )
        points = [
            LoggedPoint("accuracy", 1, 0, 0.5 + number / 20),
            LoggedPoint("val/loss", 1, 0, 1 - number / 10),
        ]
        batch = LogBatch(metrics=points, parameters=[("model", MODELS[number % 3])])
        actions.log_batch(run=run, batch=batch, by=world.data_scientist)
    return made


def test_a_filter_is_written_by_keyboard_with_completion(experiment, signed_in):
    person = signed_in("data_scientist")
    page, keyboard = person.page, Keyboard(person)
    person.go(experiment.get_absolute_url())
    options = page.locator("#suggestions:not([data-stale]) > [role=option]")

    keyboard.type_into("Filter", "acc")
    expect(options.first).to_have_text("metrics.accuracy metric")
    person.look()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Filter", exact=True)).to_have_value("metrics.accuracy ")
    page.keyboard.type("> 0.6 a")
    expect(options.first).to_have_text("AND joins")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("params.model = ")
    expect(options).to_have_count(3)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Filter", exact=True)).to_have_value(
        "metrics.accuracy > 0.6 AND params.model = 'tree' "
    )
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    keyboard.enter()

    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("link", name="run 3")).to_be_visible()


def test_what_is_wrong_with_a_filter_is_shown(experiment, signed_in):
    person = signed_in("data_scientist")
    person.go(f"{experiment.get_absolute_url()}?filter=metrics.accuracy+%3E+'a'")

    person.sees("numbers stand without quotes")
    person.picture("run-table-fault")


def test_runs_are_sorted_tagged_and_put_aside(experiment, signed_in):
    person = signed_in("data_scientist")
    page = person.page
    person.go(experiment.get_absolute_url())
    person.picture("run-table")

    person.press("val/loss")
    expect(page.get_by_role("row").nth(1)).to_contain_text("run 0")
    page.get_by_text("Choose columns").click()
    for name in ("Recorded by", "team"):
        page.locator(".table-columns label", has_text=name).click()
    person.press("Show these columns")
    expect(page.get_by_role("columnheader", name="team")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Recorded by")).to_have_count(0)
    expect(page.get_by_role("row").nth(1)).to_contain_text("run 0")

    for name in ("run 0", "run 5"):
        page.locator("label", has_text=f"Choose {name}").click()
    person.sees("2 chosen.")
    person.press("Tag or put aside")
    person.picture("change-runs")
    page.get_by_label("Tag", exact=True).fill("release")
    page.get_by_label("Value").fill("1")
    person.press("Set the tag")
    person.sees("2 runs tagged.")
    expect(page.get_by_role("columnheader", name="team")).to_be_visible()
    assert RunTag.objects.filter(key="release", value="1").count() == 2

    for name in ("run 0", "run 5"):
        page.locator("label", has_text=f"Choose {name}").click()
    person.press("Tag or put aside")
    person.press("Put these runs aside")
    person.sees("2 runs put aside.")
    expect(page.get_by_role("row")).to_have_count(5)
    assert Run.objects.active().count() == 4


def test_pages_have_no_barriers_and_lead_on(experiment, world, signed_in):
    person = signed_in("data_scientist")
    page = person.page
    slug = [world.project.slug]
    for name in ("experiments:list", "experiments:list_runs"):
        person.go(reverse(name, args=slug))
        person.picture(name.replace(":", "-"))

    page.goto(f"/#/experiments/{experiment.pk.hex}")
    page.wait_for_url(f"**{experiment.get_absolute_url()}")
    run = experiment.runs.first()
    page.goto(f"/#/experiments/{experiment.pk.hex}/runs/{run.pk.hex}")
    page.wait_for_url(f"**{run.get_absolute_url()}")

    page.goto(experiment.get_absolute_url())
    for label in page.locator("tbody .usa-checkbox__label").all()[:2]:
        label.click()
    person.press("Compare chosen runs")
    expect(page.get_by_role("heading", name="Tags")).to_be_visible()
    person.fits()
