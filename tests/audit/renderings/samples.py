"""Bodies of events as the trail keeps them, one for each way to render."""

from typing import Any

from apps.audit.body import canonical
from apps.audit.renderings.entry import Entry

ORIGIN = "portal.example/audit/1"
PERSON = "0190f0c8-0000-7000-8000-000000000001"
PROJECT = "0190f0c8-0000-7000-8000-000000000009"
JANE = {"commitment": "J" * 43}
SAM = {"commitment": "S" * 43}


def body(action: str, **parts: Any) -> dict[str, Any]:
    """Write the body of an event; `parts` replace what a usual one says."""
    return {
        "v": 1,
        "id": "0190f0c8-1111-7000-8000-00000000000a",
        "time": "2026-01-31T12:00:00.123456Z",
        "action": action,
        "outcome": "success",
        "severity": 1,
        "actor": {
            "id": PERSON,
            "type": "person",
            "roles": ["validator"],
            "name": JANE,
        },
        "object": {
            "type": "registry.modelversion",
            "id": "42",
            "name": "Crack detector 3",
            "path": "/models/42/",
        },
        "scope": {"project": PROJECT, "name": "Inspection"},
        "source": {"channel": "web", "host": "web-1.portal.example"},
        "request": {"id": "req-7", "route": "approvals:sign_off"},
        "changes": [],
        "reason": "",
    } | parts


def entry(facts: Any, leaf_index: int = 7) -> Entry:
    text = facts if isinstance(facts, str) else canonical(facts)
    return Entry(leaf_index, text, ORIGIN)


ACCOUNT = {"type": "accounts.user", "id": PERSON, "name": SAM, "path": "/people/1/"}
NO_SCOPE = {"project": "", "name": ""}

SAMPLES = {
    "lifecycle": body(
        "approval.signed_off",
        changes=[{"name": "status", "value": ["in_review", "approved"]}],
        reason="Checked against the plan.",
    ),
    "sign_in": body("account.signed_in", object=ACCOUNT, scope=NO_SCOPE),
    "failed_sign_in": body(
        "account.sign_in_failed",
        outcome="failure",
        severity=3,
        actor={"id": "", "type": "anonymous", "roles": [], "name": "nobody"},
        object={**ACCOUNT, "id": ""},
        scope=NO_SCOPE,
    ),
    "account_change": body(
        "account.deactivated",
        object=ACCOUNT,
        scope=NO_SCOPE,
        changes=[{"name": "is_active", "value": [True, False]}],
    ),
    "role_change": body(
        "member.role_changed",
        changes=[
            {"name": "member", "value": SAM},
            {"name": "role", "value": ["developer", "validator"]},
        ],
    ),
    "data_read": body(
        "dataset.downloaded",
        object={
            "type": "datasets.datasetversion",
            "id": "5",
            "name": "Bridges 2",
            "path": "/d/5/",
        },
    ),
    "refusal": body(
        "access.refused",
        outcome="denied",
        severity=3,
        object=ACCOUNT,
        reason="Only a reviewer of this project can sign off.",
    ),
    "service": body(
        "training.failed",
        outcome="failure",
        severity=2,
        actor={"id": PERSON, "type": "service", "roles": ["worker"], "name": "Worker"},
        source={"channel": "worker", "host": "worker-1"},
        request={"id": "", "route": ""},
    ),
    "unknown_kind": body("pipeline.triggered"),
    "damaged": '{"id":"half',
    "gone": "",
}
