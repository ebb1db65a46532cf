"""No change without its event: addresses, tasks and commands, asked of the trail."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

from apps.audit.models import AuditEvent
from tests.addresses import CHANGES, allowed_person, send
from tests.permission_rows import Row

# A request that changes nothing governed, and why.
WITHOUT_EVENT = {
    "mlflow:runs_log_metric": "counted; the segment it belongs to is recorded",
    "mlflow:runs_log_parameter": "as mlflow:runs_log_metric",
    "mlflow:create_upload": "no file yet; the whole file is recorded",
    "mlflow:put_part": "as mlflow:create_upload",
    "mlflow:abort_upload": "as mlflow:create_upload",
    "mlflow:logged_models_search": "as mlflow:runs_search",
    "mlflow:runs_search": "reads; MLflow's clients ask by POST",
    "experiments:preview_note": "shows what is typed, and keeps nothing",
    "approvals:check_policy": "says what is wrong with a text, and keeps nothing",
    "audit:delete_filter": "a filter that one keeps for oneself governs nothing",
    "audit:save_filter": "a filter that one keeps for oneself governs nothing",
    "experiments:choose_columns": "which columns one looks at governs nothing",
    "notices:mail": "how often one is written to governs nothing",
    "v1:mail": "as notices:mail",
    "notices:read_notice": "what one has read is nobody else's business",
    "notices:read_notices": "as notices:read_notice",
    "v1:read_notice": "as notices:read_notice",
    "v1:read_notices": "as notices:read_notice",
    "accounts:sign_out": "ends a session; what is kept is that one began",
    "patch v1:upload": "a chunk is no file yet; the whole file is recorded",
    "training:launch_training": "the first of two steps: answers with the second form",
}


def test_every_exception_is_needed():
    known = {name for row in CHANGES for name in (row.name, str(row))}

    assert set(WITHOUT_EVENT) <= known


@pytest.mark.parametrize("row", CHANGES, ids=str)
def test_every_change_leaves_events_of_its_maker(row: Row, world, client_of, api_of):
    person = getattr(world, allowed_person(row) or "")
    arguments, data = row.make(world)
    client = (api_of if row.is_api else client_of)(person)
    before = AuditEvent.objects.order_by("pk").last()

    answer = send(client, row, arguments, data)

    events = AuditEvent.objects.filter(pk__gt=before.pk if before else 0)
    found = {(event.actor_id, event.channel) for event in events}
    channel = "api" if row.is_api else "web"
    assert answer.status_code == row.status_for(allowed_person(row) or "")
    without = {row.name, str(row)} & WITHOUT_EVENT.keys()
    assert found == (set() if without else {(person.pk, channel)})
    assert {event.request_id for event in events} <= {answer["X-Request-ID"]}


# Commands and tasks that ask for no action, and why nothing of them is an event.
# That each action records its event is held in test_architecture.py.
WITHOUT_ACTION = {
    "check_audit_trail": "reads and tells",
    "generate_reference": "writes documents from the code",
    "protect_audit_trail": "gives the roles of the database what the release says",
    "seal_audit_trail": "signs events; whatever it signs is its record",
    "seed_demo": "tells a story through the actions of people",
    "stream_audit_trail": "sends what is sealed; the position is no governed state",
}


def entry_points() -> dict[str, Path]:
    """Every command and every module of tasks, by name."""
    apps = Path(settings.BASE_DIR) / "apps"
    commands = apps.glob("*/management/commands/[!_]*.py")
    tasks = {f"{path.parent.name}.tasks": path for path in apps.glob("*/tasks.py")}
    return {path.stem: path for path in commands} | tasks


def asks_for_an_action(path: Path) -> bool:
    """Say whether a module calls, or hands on, a function of an actions module."""
    tree = ast.parse(path.read_text())
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if "actions" in f"{node.module}.{alias.name}".split(".")
    }
    used = {
        node.value.id if isinstance(node, ast.Attribute) else node.func.id
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
    }
    return bool(imported & used)


@pytest.mark.parametrize("name", entry_points())
def test_every_command_and_task_asks_for_an_action(name):
    assert asks_for_an_action(entry_points()[name]) != (name in WITHOUT_ACTION)


def test_every_exception_of_commands_is_needed():
    assert set(WITHOUT_ACTION) <= entry_points().keys()
