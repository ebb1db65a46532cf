"""The whole life of one model, by six people in real browsers."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import expect

from apps.home.demo.data import strikes
from apps.registry.models import Alias
from tests.audit.sealing import sealer_in
from tests.factories import people

pytestmark = pytest.mark.browser

ROWS = 2500
TITLES = {
    "program_manager": "Program manager",
    "data_scientist": "Data scientist",
    "validator": "Validator",
    "operations_manager": "Operations manager",
    "developer": "Developer",
}
OBJECTIVE = {
    "Measure": "Crew hours per 1,000 strikes",
    "Unit": "hours",
    "Baseline": "1788",
    "Target": "1700",
    "Cost of a false alarm": "2",
    "Cost of a miss": "30",
}


def address(role: str) -> str:
    return f"{role}@agency.example"


@pytest.fixture
def strikes_file(tmp_path: Path) -> Path:
    path = tmp_path / "strikes.csv"
    with strikes(settings.NODE_MODULES) as lines, path.open("wb") as target:
        target.writelines(islice(lines, ROWS + 1))
    return path


@pytest.fixture
def everybody(running_worker, person_at):
    """Accounts as an administrator made them, and a browser for each."""
    for role, title in TITLES.items():
        roles = ["program_manager"] if role == "program_manager" else []
        people.person(address(role), f"{title} Somebody", agency_roles=roles)
    people.person(address("auditor"), "Auditor Somebody", agency_roles=["auditor"])
    return {role: person_at(address(role)) for role in (*TITLES, "auditor")}


def test_a_model_goes_from_idea_to_champion(everybody, strikes_file, tmp_path):
    for person in everybody.values():
        person.sign_in()
    manager, scientist = everybody["program_manager"], everybody["data_scientist"]

    open_project(manager)
    upload(scientist, strikes_file)
    train_and_register(scientist)
    validate(everybody["validator"])
    version = ask_for_approval(scientist)
    for role in ("validator", "operations_manager", "program_manager"):
        sign(everybody[role])
    read_card(everybody["developer"], version)
    sealer_in(tmp_path / "sealer").seal()
    read_trail(everybody["auditor"])

    alias = Alias.objects.select_related("version").get()
    assert (alias.name, alias.version.number) == ("champion", 1)
    assert alias.version.state == "approved"


def open_project(manager) -> None:
    manager.go("/projects/")
    manager.follow("Open a project")
    manager.fill("Name", "Strike inspection")
    manager.fill("Short name", "strikes")
    manager.fill("Mission statement", "Send crews to the aircraft that need them.")
    manager.press("Open project")
    for label, value in OBJECTIVE.items():
        manager.fill(label, value)
    manager.press("State objective")
    for role, title in TITLES.items():
        if role != "program_manager":
            manager.go("/projects/strikes/members/add/")
            manager.fill("E-mail address", address(role))
            manager.choose("Role", title)
            manager.press("Add member")
    manager.sees("Validator Somebody")


def upload(scientist, strikes_file: Path) -> None:
    scientist.go("/projects/strikes/datasets/")
    scientist.follow("Upload a dataset")
    scientist.fill("Title", "Wildlife strikes")
    scientist.fill("Short name", "strikes")
    scientist.page.get_by_label("File").set_input_files(strikes_file)
    scientist.press("Upload")
    scientist.sees("Wildlife Species")
    scientist.picture("dataset")


def train_and_register(scientist) -> None:
    scientist.go("/projects/strikes/experiments/")
    scientist.follow("Create an experiment")
    scientist.fill("Name", "Which strikes do damage")
    scientist.press("Create experiment")
    scientist.go("/projects/strikes/training-jobs/")
    scientist.follow("Launch training")
    scientist.choose("Dataset version", "Wildlife strikes, version 1 (2,500 rows)")
    scientist.press("Continue")
    scientist.choose("What to predict", "damaged")
    scientist.press("Continue")
    scientist.choose("Value that counts as a case", "yes")
    scientist.tick("Logistic regression")
    scientist.press("Launch training")
    scientist.sees("Succeeded")
    scientist.follow("See the run")
    scientist.picture("run")
    scientist.follow("Register this model")
    scientist.fill("Name of the model", "damage-risk")
    scientist.fill("Description", "Orders the inspection queue.")
    scientist.press("Register")
    scientist.sees("Draft")


def validate(validator) -> None:
    validator.go("/projects/strikes/models/damage-risk/versions/1/")
    validator.follow("Write a plan")
    fill_plan(validator)
    validator.press("Write plan")
    validator.go("/projects/strikes/models/damage-risk/versions/1/")
    validator.press("Compute a report")
    validator.sees("Pass")
    validator.picture("validation-report")


def fill_plan(validator) -> None:
    rows = validator.page.locator("tbody tr")
    wanted = [("roc_auc", "0.6", True), ("recall", "0.3", True)]
    for position in range(rows.count()):
        measure, threshold, blocking = (
            wanted[position] if position < len(wanted) else ("", "", False)
        )
        row = rows.nth(position)
        row.locator("select").first.select_option(measure)
        row.locator("input:not([type=checkbox])").first.fill(threshold)
        if row.locator("input[type=checkbox]").is_checked() != blocking:
            row.locator("label").last.click()


def ask_for_approval(scientist) -> str:
    scientist.go("/projects/strikes/models/damage-risk/versions/1/")
    path = scientist.page.url
    scientist.follow("Ask for approval")
    scientist.fill("Message to the signers", "The first model of this project.")
    scientist.press("Ask for approval")
    scientist.sees("Technical review")
    return path


def sign(signer) -> None:
    signer.go("/")
    if signer.email == address("program_manager"):
        signer.picture("home")
    signer.follow("Read and decide")
    if signer.email == address("program_manager"):
        signer.picture("approval-request")
    signer.fill("Your password", signer.password)
    signer.tick("I have read the evidence")
    signer.press("Sign")
    signer.sees(signer.email.split("@")[0].replace("_", " ").capitalize())


def read_card(developer, version: str) -> None:
    developer.go(version)
    developer.sees("Approved")
    developer.picture("model-version")
    developer.follow("Read the whole card")
    developer.sees("Send crews to the aircraft that need them.")
    answer = developer.page.request.get(
        "/api/v1/projects/strikes/models/damage-risk/versions/1/card?format=json"
    )
    assert answer.status == 200
    assert "signatures" in json.dumps(answer.json())


def read_trail(auditor) -> None:
    auditor.go("/audit/")
    auditor.choose("What", "approval.approved")
    auditor.press("Filter")
    expect(auditor.page.locator("#events tbody tr")).to_have_count(1)
    auditor.sees("Program manager Somebody")
    auditor.go("/audit/")
    auditor.picture("audit")
    auditor.follow("Export these events")
    auditor.page.get_by_text("as JSON Lines").click()
    auditor.picture("export-form")
    auditor.press("Export")
    link = auditor.page.get_by_role("link", name="Download audit-jsonl")
    link.wait_for()
    auditor.picture("export")
