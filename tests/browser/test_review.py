"""A whole review with the keyboard alone, on a desktop and on a phone."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from apps.approvals.models import ApprovalRequest, Condition
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.keyboard import Keyboard
from tests.browser.test_report_files import pages_of
from tests.factories import approvals, reports, validation
from tests.factories.people import PASSWORD
from tests.factories.validation import MEASURES

pytestmark = pytest.mark.browser


@pytest.fixture
def approval(committed, world) -> ApprovalRequest:
    """A request for the second version, which does worse and has a finding."""
    approvals.approved(world)
    measures = copy.deepcopy(MEASURES)
    measures[2]["value"] = 0.61
    families = [reports.family(), reports.untested()]
    version = approvals.validated_version(world, measures=measures, families=families)
    validation.finding(version, world.validator, world.data_scientist)
    return approvals.request(world, version)


@pytest.fixture
def keyboard_of(world, person_at):
    """Sign in with the keyboard, and go to the request that waits in the inbox."""

    def sign_in(role: str, viewport) -> Keyboard:
        person = person_at(getattr(world, role).email, viewport=viewport)
        keys = Keyboard(person)
        person.go("/")
        keys.type_into("E-mail", person.email)
        keys.type_into("Password", PASSWORD)
        keys.press("Sign in", "button")
        keys.press("Inbox", "a")
        keys.press("Read and decide", "a")
        person.sees("What is it for?")
        return keys

    return sign_in


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_validator_reads_asks_and_signs(approval, keyboard_of, viewport):
    keys = keyboard_of("validator", viewport)
    read_everything(keys)
    ask(keys)
    sign_at_the_second_try(keys)

    keys.person.sees("Signed: independently validated.")
    keys.person.fits()
    [given] = approval.stages.get(position=1).sign_offs.all()
    assert given.comment == "Fewer hawks, but cheaper."


def read_everything(keys: Keyboard) -> None:
    """What changed, the brief, the full report, and back by what leads back."""
    keys.skip()
    keys.press("since version 1", "a")
    keys.person.sees("How far the measures moved")
    keys.person.fits()
    keys.press("Approval request", "a")
    keys.skip()
    keys.press("decision brief on one page", "a")
    assert pages_of(keys.page.pdf(format="A4")) == 1
    keys.skip()
    keys.press("Full technical report", "a")
    keys.person.sees("What else was looked at?")
    keys.person.fits()
    keys.press("Version 2", "a")
    keys.skip()
    keys.press("Request of Dan Data", "a")


def ask(keys: Keyboard) -> None:
    """Send nothing, be told, then write; the focus stays with what was written."""
    keys.skip()
    keys.jump("Discussion")
    keys.press("Send", "button")
    keys.is_led_to_errors()
    keys.page.keyboard.type("@data_scientist, why so few hawks?")
    keys.tab_to("What it is about", "select")
    keys.page.keyboard.press("ArrowDown")
    keys.press("Send", "button")
    written = keys.page.locator("article.comment:focus")
    expect(written).to_contain_text("why so few hawks?")
    expect(written).to_be_in_viewport()


def sign_at_the_second_try(keys: Keyboard) -> None:
    """A wrong password leaves the words and the tick where they were."""
    keys.jump("Sign or refuse", back=True)
    keys.type_into("Comment", "Fewer hawks, but cheaper.")
    keys.tab_to("I have read the evidence")
    keys.page.keyboard.press("Space")
    keys.type_into("Your password", "not my password")
    keys.press("Sign", "button")
    keys.is_led_to_errors()
    assert keys.focus()["name"].startswith("Your password")
    expect(keys.page.get_by_label("I have read the evidence")).to_be_checked()
    keys.page.keyboard.type(PASSWORD)
    keys.enter()


def test_an_operations_manager_asks_for_changes(approval, world, keyboard_of):
    approvals.sign(approval, world.validator)
    keys = keyboard_of("operations_manager", DESKTOP)
    keys.skip()
    keys.jump("Sign or refuse")
    keys.tab_to("Ask for changes instead", "summary")
    keys.page.keyboard.press("Enter")
    keys.type_into("Your password", PASSWORD)
    keys.press("Send back", "button")
    keys.is_led_to_errors()
    keys.page.keyboard.type("It must run on one core.")
    keys.type_into("Your password", PASSWORD)
    keys.enter()

    keys.person.sees("Sent back.")
    approval.refresh_from_db()
    assert approval.status == "changes_requested"


def test_an_operations_manager_signs_with_a_condition_on_a_phone(
    approval, world, keyboard_of
):
    approvals.sign(approval, world.validator)
    keys = keyboard_of("operations_manager", PHONE)
    keys.skip()
    keys.jump("Sign or refuse")
    keys.type_into("Comment", "When it runs on one core.")
    keys.tab_to("Sign with conditions", "summary")
    keys.page.keyboard.press("Space")
    keys.type_into("Condition 1: what must be done", "Halve the memory.")
    keys.tab_to("Condition 1: who does it", "select")
    keys.page.keyboard.type("Dan")
    keys.tab_to("Condition 1: by when", "input")
    keys.page.keyboard.type(f"{timezone.localdate() + timedelta(days=30):%m%d%Y}")
    keys.tab_to("I have read the evidence")
    keys.page.keyboard.press("Space")
    keys.type_into("Your password", PASSWORD)
    keys.enter()

    keys.person.sees("Signed: ready to operate.")
    keys.person.fits()
    condition = Condition.objects.get()
    assert (condition.owner, condition.text) == (
        world.data_scientist,
        "Halve the memory.",
    )
