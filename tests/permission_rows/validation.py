"""Rows of validation plans and reports."""

from tests.factories import registry
from tests.factories import validation as factory
from tests.permission_rows import (
    DATA_SCIENTIST,
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


ROWS = [
    Row("validation:plans", "get", of_model, READ),
    Row("validation:plan", "get", a_plan, READ),
    Row("validation:write_plan", "get", of_model, judge(200), others=403),
    Row("validation:write_plan", "post", new_plan_by_form, judge(302), others=403),
    Row("validation:request_report", "post", of_version, judge(302), others=403),
    Row("validation:report", "get", a_report, READ),
    Row("validation:report_progress", "get", waiting_report, READ),
    Row("validation:cancel_report", "post", waiting_report, judge(302), others=403),
    Row("v1:validation_plans", "get", of_model, READ),
    Row("v1:validation_plans", "post", new_plan, judge(201), others=403),
    Row("v1:validation_plan", "get", a_plan, READ),
    Row("v1:validation_reports", "get", of_version, READ),
    Row("v1:validation_reports", "post", of_version, judge(202), others=403),
    Row("v1:validation_report", "get", a_report, READ),
    Row("v1:cancel_report", "post", waiting_report, judge(202), others=403),
]
