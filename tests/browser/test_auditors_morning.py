"""An auditor's morning: who approved this, and is it true?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from apps.audit.models import Checkpoint, Key, SavedFilter
from tests.audit.sealing import sealer_in
from tests.factories import approvals

pytestmark = pytest.mark.browser


@pytest.fixture
def auditor(running_worker, world, person_at):
    """Somebody who reads of an approved model for the first time, once it is sealed."""
    person = person_at(world.auditor.email)
    person.sign_in()
    return person


@pytest.fixture
def approved(world, tmp_path: Path):
    version = approvals.approved(world, "damage-risk").version
    sealer_in(tmp_path).seal()
    return version


def test_an_auditor_finds_the_approval_and_verifies_the_trail(
    approved, auditor, world, tmp_path: Path
):
    find_who_approved(auditor)
    read_the_history(auditor)
    ask_who_could(auditor)
    bundle, verifier, checkpoint = take_away(auditor, tmp_path / "away")

    answer = subprocess.run(
        [
            *(sys.executable, "-I", verifier, "bundle", bundle),
            *("--log-key", Key.objects.get().vkey, "--kept", checkpoint),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path / "away",
        env={},
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "VERIFIED" in answer.stdout
    assert SavedFilter.objects.get().query == "type=approval.%2A&period=today"
    assert Checkpoint.objects.get().note == checkpoint.read_text()


def find_who_approved(auditor) -> None:
    auditor.follow("Audit trail")
    auditor.sees("sealed")
    auditor.picture("audit")
    auditor.choose("What", "approval.*")
    auditor.page.wait_for_load_state("networkidle")
    auditor.choose("When", "today")
    rows = auditor.page.locator("#events tbody tr")
    expect(rows.first).to_contain_text("gave the last signature to")
    expect(auditor.page.locator("#events .chip")).to_have_count(2)
    assert "period=today" in auditor.page.url
    auditor.look()
    save_the_filter(auditor)
    auditor.page.locator("#events tbody a").first.click()
    auditor.sees("Petra Program <program_manager@agency.example>")
    auditor.sees("Sealed in checkpoint")
    auditor.picture("audit-event")


def save_the_filter(auditor) -> None:
    auditor.page.get_by_text("Save this filter").click()
    auditor.fill("Name", "Approvals of today")
    auditor.press("Save")
    auditor.sees("Saved as “Approvals of today”.")
    auditor.go("/audit/")
    auditor.follow("Approvals of today")


def read_the_history(auditor) -> None:
    auditor.follow("Whole history of this object")
    story = auditor.page.locator(".timeline__what")
    expect(story.first).to_contain_text("Dan Data asked for")
    expect(story.last).to_contain_text("Petra Program gave the last signature to")
    auditor.sees("as Validator")
    auditor.picture("audit-history")
    auditor.follow("Open its page")
    auditor.follow("History in the audit trail")
    auditor.sees("Dan Data")


def ask_who_could(auditor) -> None:
    auditor.go("/audit/standing/")
    auditor.choose("Could", "approval.sign_off")
    auditor.page.get_by_role("button", name="Ask the trail").first.click()
    expect(auditor.page.locator("tbody tr")).to_have_count(3)
    auditor.sees("Vera Validator")
    auditor.picture("audit-standing")


def take_away(auditor, folder: Path) -> list[Path]:
    """Download what the page says to take, as it says it."""
    folder.mkdir()
    auditor.go("/audit/")
    auditor.follow("How to check this yourself")
    auditor.picture("audit-verify")
    links = ("Download the verifier", "Keep the newest checkpoint")
    verifier, checkpoint = (download(auditor, name, folder) for name in links)
    auditor.follow("Export with evidence")
    auditor.press("Export")
    auditor.sees("Download audit-")
    auditor.picture("audit-export")
    return [download(auditor, "Download audit-", folder), verifier, checkpoint]


def download(auditor, name: str, folder: Path) -> Path:
    with auditor.page.expect_download() as started:
        auditor.page.get_by_role("link", name=name).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def test_a_filter_works_with_the_keyboard_and_without_scripts(
    approved, auditor, world, chromium, live_server
):
    auditor.go("/audit/")
    auditor.page.keyboard.press("/")
    auditor.page.keyboard.type("damage-risk")
    auditor.page.keyboard.press("Enter")
    expect(auditor.page.locator("#events .chip")).to_contain_text("Words damage-risk")
    auditor.page.locator("#filter-person").press_sequentially("vera")
    proposed = auditor.page.locator("#known-people option")
    expect(proposed).to_have_count(1)

    cookies = auditor.page.context.cookies()
    plain = chromium.new_context(java_script_enabled=False, base_url=live_server.url)
    plain.add_cookies(cookies)
    page = plain.new_page()
    page.goto("/audit/")
    page.get_by_label("Outcome").select_option("success")
    page.get_by_label("Words of").fill("damage-risk version 1")
    page.get_by_role("button", name="Filter").click()

    assert "outcome=success" in page.url
    assert page.locator("#events tbody tr").count() > 3
    plain.close()
