"""Rows of validation plans and reports."""

from apps.validation import actions
from tests.factories import registry
from tests.factories import validation as factory
from tests.permission_rows import (
    DATA_SCIENTIST,
    PROGRAM_MANAGER,
    READERS,
    STRANGERS,
    VALIDATOR,
    Row,
    everybody,
)

READ = everybody(200, *READERS)
HIDDEN = everybody(404, *STRANGERS)


def judge(status: int) -> dict[str, int]:
    return {DATA_SCIENTIST: status, VALIDATOR: status, **HIDDEN}


def _version(world):
    return registry.model_version(world.project, world.data_scientist)


def of_model(world):
    model = _version(world).model
    return {"slug": world.project.slug, "name": model.name}, None


def new_plan_by_form(world):
    data = {"measure_0": "recall", "threshold_0": "0.7", "blocking_0": "on"}
    return of_model(world)[0], data


def new_plan(world):
    return of_model(world)[0], {"criteria": factory.CRITERIA}


def a_plan(world):
    written = factory.plan(_version(world).model, world.validator)
    return {"pk": written.pk}, None


def of_version(world):
    version = _version(world)
    factory.plan(version.model, world.validator)
    arguments = {"name": version.model.name, "number": version.number}
    return {"slug": world.project.slug, **arguments}, None


def a_report(world):
    return {"pk": factory.finished_report(_version(world), world.validator).pk}, None


def waiting_report(world):
    return {"pk": factory.requested_report(_version(world), world.validator).pk}, None


def raisers(status: int) -> dict[str, int]:
    return {VALIDATOR: status, **HIDDEN}


def finding_by_form(world):
    arguments = of_version(world)[0]
    owner = str(world.data_scientist.pk)
    return arguments, {"title": "a", "text": "b", "severity": "low", "owner": owner}


def new_finding(world):
    arguments = of_version(world)[0]
    owner = world.data_scientist.email
    return arguments, {"title": "a", "text": "b", "severity": "low", "owner": owner}


def _finding(world):
    return factory.finding(_version(world), world.validator, world.data_scientist)


def a_finding(world):
    return {"pk": _finding(world).pk}, None


def to_answer(world):
    return {"pk": _finding(world).pk}, {"answer": "Done."}


def to_hand_over(world):
    return {"pk": _finding(world).pk}, {"owner": str(world.developer.pk)}


def to_hand_over_by_address(world):
    return {"pk": _finding(world).pk}, {"owner": world.developer.email}


def to_settle(world):
    return {"pk": _finding(world).pk}, {"closing": "Seen."}


def to_reopen(world):
    found = _finding(world)
    actions.close_finding(finding=found, closing="Seen.", by=world.validator)
    return {"pk": found.pk}, {"closing": "Again."}


ROWS = [
    Row("validation:findings", "get", of_version, READ),
    Row("validation:raise_finding", "get", of_version, raisers(200), others=403),
    Row("validation:raise_finding", "post", finding_by_form, raisers(302), others=403),
    Row("validation:finding", "get", a_finding, READ),
    Row("v1:findings", "get", of_version, READ),
    Row("v1:findings", "post", new_finding, raisers(201), others=403),
    Row("v1:finding", "get", a_finding, READ),
    *[
        Row(f"{door}_finding", "post", make, {who: status, **HIDDEN}, others=403)
        for deed, make, who in (
            ("answer", to_answer, DATA_SCIENTIST),
            ("close", to_settle, VALIDATOR),
            ("accept", to_settle, PROGRAM_MANAGER),
            ("reopen", to_reopen, VALIDATOR),
        )
        for door, status in ((f"validation:{deed}", 302), (f"v1:{deed}", 200))
    ],
    *[
        Row(f"{door}:hand_over_finding", "post", make, may, others=403)
        for door, make, may in (
            ("validation", to_hand_over, {**raisers(302), PROGRAM_MANAGER: 302}),
            ("v1", to_hand_over_by_address, {**raisers(200), PROGRAM_MANAGER: 200}),
        )
    ],
    Row("validation:plans", "get", of_model, READ),
    Row("validation:plan", "get", a_plan, READ),
    Row("validation:write_plan", "get", of_model, judge(200), others=403),
    Row("validation:write_plan", "post", new_plan_by_form, judge(302), others=403),
    Row("validation:request_report", "post", of_version, judge(302), others=403),
    Row("validation:report", "get", a_report, READ),
    Row("validation:full_report", "get", a_report, READ),
    Row("validation:download_report", "get", a_report, READ, query="format=json"),
    Row("validation:report_progress", "get", waiting_report, READ),
    Row("validation:cancel_report", "post", waiting_report, judge(302), others=403),
    Row("v1:validation_plans", "get", of_model, READ),
    Row("v1:validation_plans", "post", new_plan, judge(201), others=403),
    Row("v1:validation_plan", "get", a_plan, READ),
    Row("v1:validation_reports", "get", of_version, READ),
    Row("v1:validation_reports", "post", of_version, judge(202), others=403),
    Row("v1:validation_report", "get", a_report, READ),
    Row("v1:download_report", "get", a_report, READ, query="format=json"),
    Row("v1:cancel_report", "post", waiting_report, judge(202), others=403),
]
