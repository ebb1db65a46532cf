"""A steward proposes a contract, sharpens it, and sees what it does to uploads."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.datasets.models import ContractRevision, DatasetVersion, VersionDiff
from apps.projects.actions import add_member
from tests.factories import people, projects

pytestmark = pytest.mark.browser


def table(rows: int, *, shift: int = 0, colour: str = "grey") -> str:
    lines = (
        f"{n},{'Gull' if n % 3 else 'Hawk'},{60 + (n * 7) % 90 + shift},"
        f"{colour if n == 7 else 'white'},2026-10-{1 + n % 28:02}"
        for n in range(rows)
    )
    return "\n".join(["id,species,speed,colour,seen_on", *lines, ""])


@pytest.fixture
def steward(running_worker, person_at):
    """A data scientist at their browser, in a project."""
    user = people.person("steward@agency.example", "Sam Steward")
    manager = people.person(
        "manager@agency.example", "Mo Manager", agency_roles=["program_manager"]
    )
    project = projects.project("strikes", by=manager)
    add_member(project=project, person=user, role="data_scientist", by=manager)
    person = person_at(user.email)
    person.sign_in()
    return person


def upload(steward, folder: Path, name: str, content: str) -> None:
    path = folder / name
    path.write_text(content)
    steward.page.get_by_label("File").set_input_files(path)
    steward.press("Upload")


def test_a_contract_is_proposed_edited_and_kept_to(steward, tmp_path):
    steward.go("/projects/strikes/datasets/upload/")
    steward.fill("Title", "Wildlife strikes")
    steward.fill("Short name", "wildlife")
    upload(steward, tmp_path, "one.csv", table(400))
    steward.sees("Fingerprint of the content")
    steward.picture("dataset-version")

    steward.follow("Wildlife strikes", exact=True)
    steward.follow("Contract")
    steward.follow("Propose a contract")
    edit_with_the_keyboard(steward)
    steward.picture("contract-form")
    steward.fill("Why it changes", "As the sensors deliver it.")
    steward.press("Save as a new revision")
    steward.sees("Revision 1")
    steward.picture("contract")

    revision = ContractRevision.objects.get()
    speed = next(c for c in revision.content["columns"] if c["name"] == "speed")
    assert speed["range"] == {"low": 50, "high": 155, "severity": "block"}

    steward.follow("Versions")
    steward.follow("Upload a new version")
    upload(steward, tmp_path, "two.csv", table(400, shift=20))
    steward.sees("breaks an expectation of the data contract (revision 1)")
    steward.sees("50 to 155")
    steward.picture("contract-broken")

    steward.follow("Upload a corrected file")
    upload(steward, tmp_path, "three.csv", table(420, shift=4, colour="pink"))
    steward.sees("expectations were met")
    steward.picture("contract-warned")
    compare(steward)

    assert DatasetVersion.objects.get(number=2).parquet_sha256 == ""
    assert DatasetVersion.objects.get(number=3).contract_check["verdict"] == "warned"
    assert VersionDiff.objects.get().result["rows"]["changed"] == 400


def edit_with_the_keyboard(steward) -> None:
    """Open the column that matters and sharpen its range, without a mouse."""
    page = steward.page
    speed = page.locator("details", has=page.locator("summary", has_text="speed"))
    speed.locator("summary").focus()
    page.keyboard.press("Enter")
    speed.get_by_label("From").focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("50")
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("155")
    page.keyboard.press("Tab")
    page.keyboard.type("blocks")


def compare(steward) -> None:
    steward.follow("Wildlife strikes", exact=True)
    steward.follow("Compare two versions")
    steward.sees("Known at once")
    steward.picture("changes")
    steward.press("Compare version 1 with version 3")
    steward.sees("Rows changed")
    steward.page.locator(".js-plotly-plot").first.wait_for()
    steward.picture("version-diff")
