"""Rows of approval requests and signatures."""

from datetime import timedelta

from django.utils import timezone

from apps.approvals import actions
from apps.approvals.models import NewCondition
from tests.factories import approvals
from tests.factories.people import PASSWORD
from tests.permission_rows import (
    AI_OFFICIAL,
    DATA_SCIENTIST,
    MEMBERS,
    OPERATIONS_MANAGER,
    PEOPLE,
    PROGRAM_MANAGER,
    READERS,
    STRANGERS,
    VALIDATOR,
    Row,
    everybody,
    of_project,
)

ALL = everybody(200, *PEOPLE)
READ = everybody(200, *READERS)
HIDDEN = everybody(404, *STRANGERS)
SIGNATURE = {"comment": "Fine.", "password": PASSWORD, "intent": "on"}


def author(status: int) -> dict[str, int]:
    return {DATA_SCIENTIST: status, **HIDDEN}


def of_version(version):
    return {
        "slug": version.project.slug,
        "name": version.model.name,
        "number": version.number,
    }


def to_request(world):
    return of_version(approvals.validated_version(world)), {"message": "Finds more."}


def asked_version(world):
    return of_version(approvals.validated_version(world)), None


def request(world):
    return {"pk": approvals.request(world).pk}, None


def request_after_another(world):
    approvals.approved(world)
    return request(world)


def printed(world):
    return {"pk": approvals.request(world).pk, "ending": "pdf"}, None


def to_validate(world):
    return {"pk": approvals.request(world).pk}, SIGNATURE


def to_operate(world):
    approval = approvals.sign(approvals.request(world), world.validator)
    return {"pk": approval.pk}, SIGNATURE


def signed(world):
    approval = approvals.sign(approvals.request(world), world.validator)
    given = approval.stages.earliest("position").sign_offs.get()
    return {"pk": approval.pk, "sign_off": given.pk}, SIGNATURE


def approved(world):
    return {"pk": approvals.approved(world).pk}, SIGNATURE


def enders(status: int) -> dict[str, int]:
    return {
        **everybody(status, VALIDATOR, OPERATIONS_MANAGER, PROGRAM_MANAGER),
        **HIDDEN,
    }


def with_condition(world):
    approval = approvals.request(world)
    duty = NewCondition("Retrain.", world.data_scientist, timezone.localdate())
    given = actions.sign_off(
        approval=approval,
        comment="When it snows.",
        password=PASSWORD,
        by=world.validator,
        conditions=[duty],
    )
    arguments = {"pk": approval.pk, "condition": given.conditions.get().pk}
    return arguments, {"evidence": "Run 7."}


def to_delegate(world, receiver):
    today = timezone.localdate()
    days = {"starts_on": today.isoformat(), "ends_on": today.isoformat()}
    return {"slug": world.project.slug}, {"receiver": receiver, **days}


def to_delegate_on_a_page(world):
    return to_delegate(world, str(world.developer.pk))


def to_delegate_by_a_program(world):
    return to_delegate(world, world.developer.email)


def delegation(world):
    today = timezone.localdate()
    given = actions.delegate_signing(
        project=world.project,
        receiver=world.developer,
        starts_on=today,
        ends_on=today + timedelta(days=7),
        by=world.validator,
    )
    return {"pk": given.pk}, None


def giver_or_manager(status: int) -> dict[str, int]:
    return {**everybody(status, VALIDATOR, PROGRAM_MANAGER), **HIDDEN}


def to_discuss(world):
    return {"pk": approvals.request(world).pk}, {"text": "Why?"}


def comment(world):
    approval = approvals.request(world)
    said = actions.write_comment(approval=approval, text="Why?", by=world.validator)
    return {"pk": approval.pk, "comment": said.pk}, None


def members(status: int) -> dict[str, int]:
    return {**everybody(status, *MEMBERS, AI_OFFICIAL), **HIDDEN}


ROWS = [
    Row("approvals:write_comment", "post", to_discuss, members(302), others=403),
    Row(
        "approvals:withdraw_comment",
        "post",
        comment,
        {VALIDATOR: 302, **HIDDEN},
        others=403,
    ),
    Row("v1:comments", "get", request, READ),
    Row("v1:comments", "post", to_discuss, members(201), others=403),
    Row("v1:withdraw_comment", "post", comment, {VALIDATOR: 200, **HIDDEN}, others=403),
    Row("approvals:delegations", "get", of_project, READ),
    Row(
        "approvals:delegations",
        "post",
        to_delegate_on_a_page,
        enders(302),
        others=403,
    ),
    Row(
        "approvals:revoke_delegation",
        "post",
        delegation,
        giver_or_manager(302),
        others=403,
    ),
    Row("v1:delegations", "get", of_project, READ),
    Row("v1:delegations", "post", to_delegate_by_a_program, enders(201), others=403),
    Row("v1:revoke_delegation", "post", delegation, giver_or_manager(200), others=403),
    Row("approvals:requests", "get", of_project, READ),
    Row("approvals:request_approval", "get", to_request, author(200), others=403),
    Row("approvals:request_approval", "post", to_request, author(302), others=403),
    Row("approvals:request", "get", request, READ),
    Row("approvals:sign_off_record", "get", printed, READ),
    Row("v1:sign_off_record", "get", printed, READ),
    Row("approvals:changes", "get", request, READ),
    Row("v1:approval_changes", "get", request_after_another, READ),
    Row("approvals:withdraw_request", "post", request, author(302), others=403),
    Row(
        "approvals:withdraw_sign_off",
        "post",
        signed,
        {VALIDATOR: 302, **HIDDEN},
        others=403,
    ),
    Row("v1:withdraw_sign_off", "post", signed, {VALIDATOR: 200, **HIDDEN}, others=403),
    Row("approvals:meet_condition", "post", with_condition, author(302), others=403),
    Row("v1:meet_condition", "post", with_condition, author(200), others=403),
    Row("approvals:revoke", "post", approved, enders(302), others=403),
    Row("v1:revoke", "post", approved, enders(200), others=403),
    Row("v1:serving", "get", asked_version, READ),
    Row("v1:approval_requests", "get", expect=ALL),
    Row("v1:approval_request", "get", request, READ),
    Row("v1:request_approval", "post", to_request, author(201), others=403),
    Row("v1:withdraw_request", "post", request, author(200), others=403),
    *[
        Row(name, "post", make, {signer: status, **HIDDEN}, others=403)
        for name, status in (
            ("approvals:sign_off", 302),
            ("approvals:reject", 302),
            ("approvals:request_changes", 302),
            ("v1:sign_off", 200),
            ("v1:reject", 200),
            ("v1:request_changes", 200),
        )
        for make, signer in (
            (to_validate, VALIDATOR),
            (to_operate, OPERATIONS_MANAGER),
        )
    ],
]
