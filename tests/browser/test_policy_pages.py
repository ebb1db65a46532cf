"""Policies, statements, waivers and emergencies, as those who decide on them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import approvals, exceptions, policies, registry

pytestmark = pytest.mark.browser


def of_version(name: str, version) -> str:
    place = [version.project.slug, version.model.name, version.number]
    return reverse(name, args=place)


def policy_pages(world) -> list[str]:
    approvals.approved(world)
    policies.enacted(world)
    draft = policies.written(world, policies.text(("required: 1", "required: 2")))
    rehearsal = [draft.name, draft.number]
    return [
        reverse("approvals:policies"),
        reverse("approvals:policy", args=["standard"]),
        reverse("approvals:policy", args=["high_impact"]),
        reverse("approvals:write_policy", args=["standard"]),
        draft.get_absolute_url(),
        reverse("approvals:rehearse_policy", args=rehearsal),
    ]


def exception_pages(world) -> list[str]:
    approval = exceptions.approved(world)
    waiver = approval.version.model.project.waivers.get()
    return [
        approval.get_absolute_url(),
        of_version("approvals:practices", approval.version),
        reverse("approvals:waivers"),
        reverse("approvals:project_waivers", args=[world.project.slug]),
        waiver.get_absolute_url(),
    ]


def emergency_pages(world) -> list[str]:
    declared = exceptions.emergency(world)
    other = registry.with_file(approvals.validated_version(world, "other"), "o.txt")
    return [
        reverse("approvals:emergencies", args=[world.project.slug]),
        declared.get_absolute_url(),
        declared.version.get_absolute_url(),
        of_version("approvals:declare_emergency", other),
    ]


@pytest.mark.parametrize(
    ("role", "pages"),
    [
        ("ai_official", policy_pages),
        ("ai_official", exception_pages),
        ("program_manager", emergency_pages),
    ],
)
def test_pages_have_no_barriers_and_fit_a_phone(world, signed_in, role, pages):
    paths = pages(world)
    person = signed_in(role)

    for path in paths:
        person.go(path)
        person.fits()


def test_what_is_wrong_is_told_while_a_policy_is_written(world, signed_in):
    official = signed_in("ai_official")
    official.go(reverse("approvals:write_policy", args=["standard"]))
    text = official.page.get_by_label("Policy, in YAML")

    text.fill(text.input_value().replace("role: validator", "role: validater"))

    told = official.page.locator("#policy-check")
    told.get_by_text("Did you mean validator?").wait_for()
    official.fits()
