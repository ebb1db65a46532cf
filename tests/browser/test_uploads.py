"""A large file on its way in: watched, paused, interrupted, taken up again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from apps.datasets.models import DatasetVersion, Upload

pytestmark = pytest.mark.browser

CHUNK_BYTES = 64 * 1024
CHUNKS = 12


@pytest.fixture
def file(tmp_path: Path) -> Path:
    row = "Gull,140,a long remark that makes the file larger than it needs to be\n"
    path = tmp_path / "large.csv"
    path.write_text("species,speed,remark\n" + row * (CHUNK_BYTES * CHUNKS // len(row)))
    return path


@pytest.fixture
def scientist(settings, signed_in):
    settings.UPLOAD_CHUNK_BYTES = CHUNK_BYTES
    return signed_in("data_scientist")


def choose(scientist, file: Path) -> None:
    scientist.go("/projects/inspection/datasets/upload/")
    scientist.page.get_by_label("File").set_input_files(file)


def describe(scientist) -> None:
    scientist.fill("Title", "Large")
    scientist.fill("Short name", "large")


def hold_after(scientist, count: int) -> list[int]:
    """Let `count` chunks through, and keep the next one waiting."""
    seen: list[int] = []

    def route(found) -> None:
        if found.request.method == "PATCH":
            seen.append(1)
            if len(seen) > count:
                return
        found.continue_()

    scientist.page.route("**/api/v1/uploads/*", route)
    return seen


def test_upload_shows_progress_pauses_and_goes_on(scientist, file, running_worker):
    page = scientist.page
    choose(scientist, file)
    describe(scientist)
    hold_after(scientist, 5)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("[data-upload-figures]")).to_contain_text("320 KB of")
    expect(page.get_by_role("progressbar", name="Sent")).to_be_visible()
    scientist.look()
    scientist.picture("upload")

    page.get_by_role("button", name="Pause").click()
    scientist.sees("Paused. What was sent is kept.")
    scientist.look()
    assert Upload.objects.get().received_bytes == 5 * CHUNK_BYTES
    page.unroute("**/api/v1/uploads/*")
    page.get_by_role("button", name="Resume").click()

    page.wait_for_url(re.compile("/dataset-versions/"))
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=30_000)
    scientist.look()
    version = DatasetVersion.objects.get()
    assert version.original_bytes == file.stat().st_size


def test_upload_goes_on_after_the_page_was_closed(scientist, file):
    page = scientist.page
    choose(scientist, file)
    describe(scientist)
    hold_after(scientist, 3)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("[data-upload-figures]")).to_contain_text("192 KB of")

    choose(scientist, file)
    page.unroute("**/api/v1/uploads/*")
    scientist.sees("Unfinished uploads")
    scientist.sees("192 KB of this file were sent already, for large.")
    scientist.look()
    scientist.picture("upload-unfinished")
    page.get_by_role("button", name="Upload", exact=True).click()

    page.wait_for_url(re.compile("/dataset-versions/"))
    assert DatasetVersion.objects.get().original_bytes == file.stat().st_size
    assert Upload.objects.get().state == "complete"


def test_upload_tries_again_when_the_connection_breaks(scientist, file):
    page = scientist.page
    choose(scientist, file)
    describe(scientist)
    broken: list[str] = []

    def route(found) -> None:
        if found.request.method == "PATCH" and len(broken) < 2:
            broken.append(found.request.url)
            found.abort("connectionreset")
        else:
            found.continue_()

    page.route("**/api/v1/uploads/*", route)
    page.get_by_role("button", name="Upload", exact=True).click()

    scientist.sees("The connection broke. Trying again in")
    page.wait_for_url(re.compile("/dataset-versions/"))
    assert len(broken) == 2
    scientist.faults.clear()  # the browser's own words for the broken connections


def test_upload_says_what_is_wrong_before_it_sends(scientist, file):
    page = scientist.page
    choose(scientist, file)
    scientist.fill("Short name", "not a name")

    page.get_by_role("button", name="Upload", exact=True).click()

    scientist.sees("The upload needs correcting.")
    expect(page.get_by_label("Short name")).to_be_focused()
    scientist.look()
    assert not Upload.objects.exists()


def test_upload_can_be_cancelled_while_it_is_sent(scientist, file):
    page = scientist.page
    choose(scientist, file)
    describe(scientist)
    hold_after(scientist, 2)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("[data-upload-figures]")).to_contain_text("128 KB of")
    page.unroute("**/api/v1/uploads/*")

    page.get_by_role("button", name="Cancel the upload").click()

    expect(page.get_by_role("button", name="Cancel the upload")).to_have_count(0)
    expect(page.get_by_label("File")).to_be_visible()
    assert Upload.objects.get().state == "cancelled"


def test_import_walks_to_a_file_of_a_source(
    scientist, file, settings, tmp_path, running_worker
):
    (tmp_path / "archive" / "2024").mkdir(parents=True)
    file.rename(tmp_path / "archive" / "2024" / "large.csv")
    (tmp_path / "archive" / "notes.txt").write_text("Notes.")
    settings.DATA_SOURCES = {"archive": str(tmp_path / "archive")}
    scientist.go("/projects/inspection/datasets/upload/")
    scientist.follow("Import it from a source")
    scientist.picture("import")

    scientist.follow("2024")
    scientist.follow("large.csv")
    scientist.fill("Title", "Large")
    scientist.fill("Short name", "large")
    scientist.picture("import-chosen")
    scientist.press("Import")

    scientist.sees("archive: 2024/large.csv")
    expect(scientist.page.get_by_text("Succeeded").first).to_be_visible(timeout=30_000)
