"""Reference pages written from the code, so that they cannot say something else."""

import json
from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from typing import Any

from django.core.management import call_command

from apps.access.permissions import Permission
from apps.access.roles import ROLES, Reach
from apps.approvals.models import APPROVAL_TRANSITIONS, EMERGENCY_TRANSITIONS
from apps.audit.event_types import EventType
from apps.datasets.models import UPLOAD_TRANSITIONS
from apps.jobs.models import JOB_TRANSITIONS
from apps.notices.models import DELIVERY_TRANSITIONS
from apps.registry.models import VERSION_TRANSITIONS
from apps.validation.models import FINDING_TRANSITIONS
from engine.spec import training_schema

WRITTEN_BY = "<!-- Written by `make docs` from the code; do not edit. -->"
REACHES = {Reach.PROJECT: "one project", Reach.AGENCY: "the whole agency"}


def permissions() -> str:
    """Table every role with what it permits, as `docs/reference/permissions.md`."""
    roles = list(ROLES.values())
    told = [[role.title, REACHES[role.reach], role.description] for role in roles]
    held = [
        [f"`{permission}`", *_marks(permission in role.permissions for role in roles)]
        for permission in Permission
    ]
    return _page(
        "Roles and permissions",
        "A rule asks whether somebody holds a permission in a project; the roles below "
        "are the only way to hold one. A role is counted where it reaches.",
        _table(["Role", "Reaches", "What its holder does"], told),
        _table(["Permission", *(role.title for role in roles)], held),
    )


def _marks(answers: Iterable[bool]) -> list[str]:
    return ["yes" if answer else "" for answer in answers]


def events() -> str:
    """List every kind of audit event, as `docs/reference/events.md`."""
    rows = [
        [f"`{event.value}`", f"*actor* {event.label} *target*"] for event in EventType
    ]
    return _page(
        "Audit events",
        "Everything the portal records. An event is written in the transaction of the "
        "change that it tells of.",
        _table(["Type", "Reads as"], rows),
    )


def states() -> str:
    """Draw every state machine, as `docs/reference/states.md`."""
    return _page(
        "States",
        "What can become what; anything else is refused.",
        _diagram("Background work", JOB_TRANSITIONS),
        _diagram("Upload in chunks", UPLOAD_TRANSITIONS),
        _diagram("Model version", VERSION_TRANSITIONS),
        _diagram("Approval request", APPROVAL_TRANSITIONS),
        _diagram("Emergency approval", EMERGENCY_TRANSITIONS),
        _diagram("Finding", FINDING_TRANSITIONS),
        _diagram("Message to a webhook", DELIVERY_TRANSITIONS),
    )


def _diagram(title: str, transitions: Mapping[Any, frozenset[Any]]) -> str:
    """Draw a table of transitions, of which the first state is where things begin."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {state.value}: {state.label}" for state in transitions]
    lines.append(f"    [*] --> {next(iter(transitions)).value}")
    for state, following in transitions.items():
        ends = sorted(after.value for after in following) or ["[*]"]
        lines += [f"    {state.value} --> {after}" for after in ends]
    drawing = "\n".join(lines)
    return f"## {title}\n\n```mermaid\n{drawing}\n```"


def api_schema() -> str:
    """Write the OpenAPI schema, as `docs/reference/api-schema.yaml`."""
    written = StringIO()
    call_command("spectacular", stdout=written)
    return written.getvalue()


def training_spec() -> str:
    """Write the JSON Schema of a training spec, as `training-spec.schema.json`."""
    return json.dumps(training_schema(), indent=2, ensure_ascii=False) + "\n"


def _page(title: str, lead: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", WRITTEN_BY, lead, *parts]) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# By the name of the file under `docs/reference/`.
WRITERS: dict[str, Callable[[], str]] = {
    "permissions.md": permissions,
    "events.md": events,
    "states.md": states,
    "api-schema.yaml": api_schema,
    "training-spec.schema.json": training_spec,
}
