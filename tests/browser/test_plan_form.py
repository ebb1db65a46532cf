"""The form of a validation plan on a phone: each promise can be read whole."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.person import PHONE_WIDTH
from tests.factories import approvals

pytestmark = pytest.mark.browser

LONGEST = "Gain over the champion: Expected calibration error: at least"


def test_every_promise_can_be_read_whole_on_a_phone(signed_in, world):
    model = approvals.validated_version(world, "validated").model
    author = signed_in("validator")
    author.go(reverse("validation:write_plan", args=[world.project.slug, model.name]))
    rows = author.page.get_by_role("table", name="Criteria").locator("tbody tr")
    said = rows.locator("p")

    author.page.set_viewport_size({"width": PHONE_WIDTH, "height": 812})
    expect(said.first).to_be_hidden()
    author.page.get_by_label("Measure of criterion 1", exact=True).select_option(
        label=LONGEST
    )

    expect(said.first).to_have_text(LONGEST)
    expect(said.first).to_be_visible()
    assert said.first.evaluate("said => said.scrollWidth <= said.clientWidth")
    expect(said.nth(1)).to_be_hidden()
    author.picture("plan-form")
