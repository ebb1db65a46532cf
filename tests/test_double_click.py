"""A double click loses nothing and duplicates nothing: every change, sent twice."""

import pytest
from django.apps import apps

from apps.audit.models import AuditEvent
from tests.addresses import CHANGES, allowed_person, send
from tests.permission_rows import Row

# What may be there twice when it was asked for twice, and why.
TWICE = {
    "accounts:issue_token": "only the second answer shows a secret that can be used",
    "v1:tokens": "a program that asks twice gets two tokens",
    "v1:start_upload": "tus: each begins one; what is not continued expires",
    "v1:start_version_upload": "as v1:start_upload",
    "mlflow:logged_models": "as v1:runs",
    "mlflow:runs_create": "as v1:runs",
    "v1:runs": "a run is what a program says it is; two may be equal",
    "v1:training_jobs": "without a submission_key two jobs are two wishes",
}
NOT_COUNTED = {"sessions", "axes", "audit", "contenttypes", "auth"}


def rows_of_every_table() -> dict[str, int]:
    return {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model._meta.app_label not in NOT_COUNTED
    }


def test_every_exception_is_needed():
    assert set(TWICE) <= {row.name for row in CHANGES}


@pytest.mark.parametrize("row", CHANGES, ids=str)
def test_a_second_click_adds_nothing(row: Row, world, client_of, api_of):
    person = getattr(world, allowed_person(row) or "")
    arguments, data = row.make(world)
    client = (api_of if row.is_api else client_of)(person)
    first = send(client, row, arguments, data)
    after_first = rows_of_every_table()
    last = AuditEvent.objects.order_by("pk").last()

    second = send(client, row, arguments, data)

    assert first.status_code < 400
    assert second.status_code < 500
    if row.name not in TWICE:
        assert rows_of_every_table() == after_first
        events = AuditEvent.objects.filter(pk__gt=last.pk if last else 0)
        assert set(events.values_list("type", flat=True)) <= {"access.refused"}
