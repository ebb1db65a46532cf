"""The brief on paper, and the file of a report without the portal."""

from __future__ import annotations

import re

import pytest

from apps.registry.models import ModelCard
from apps.validation import queries
from apps.validation.carriers import report_file
from apps.validation.models import ValidationReport
from tests.browser.conftest import PHONE
from tests.browser.person import _SCAN, AXE, TAGS
from tests.factories import registry, reports, validation

pytestmark = pytest.mark.browser


def pages_of(pdf: bytes) -> int:
    """Count the pages of a file that Chromium printed."""
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


@pytest.fixture
def fullest(world):
    """A report with as much of everything as its brief may have to say."""
    version = registry.model_version(world.project, world.data_scientist)
    report = validation.finished_report(
        version, world.validator, "fail", **reports.largest()
    )
    purpose = {"intended_use": "Orders the queue of inspections by risk. " * 40}
    ModelCard.objects.update_or_create(version=version, defaults=purpose)
    for place in range(5):
        validation.finding(
            version, world.validator, world.data_scientist, title=f"{place} " * 99
        )
    return report


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_fullest_brief_prints_on_one_page(signed_in, fullest, paper):
    validator = signed_in("validator")
    validator.go(fullest.get_absolute_url())

    printed = validator.page.pdf(format=paper)

    assert pages_of(printed) == 1


def test_the_html_file_is_read_alone_and_fits_a_phone(world, chromium, tmp_path):
    version = registry.model_version(world.project, world.data_scientist)
    families = [reports.family(), reports.untested()]
    report = validation.finished_report(version, world.validator, families=families)
    whole = queries.with_origins(ValidationReport.objects.all()).get(pk=report.pk)
    file = report_file(whole, "html", viewer=world.validator)
    path = tmp_path / file.name
    path.write_bytes(file.content)
    page = chromium.new_page(viewport=PHONE, java_script_enabled=False)
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(path.as_uri())

    assert asked == [path.as_uri()]
    assert pages_of(page.pdf(format="A4")) > 1
    page.close()
    alone = chromium.new_page(viewport=PHONE)
    alone.goto(path.as_uri())
    assert alone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    alone.evaluate(AXE.read_text())
    assert alone.evaluate(_SCAN, TAGS) == []
    alone.close()
