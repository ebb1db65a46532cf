"""Rows of statements on minimum practices, waivers and emergency approvals."""

from datetime import timedelta

from django.utils import timezone

from tests.factories import approvals, exceptions
from tests.factories.people import PASSWORD
from tests.permission_rows import (
    AI_OFFICIAL,
    DATA_SCIENTIST,
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
from tests.permission_rows.approvals import of_version

ALL = everybody(200, *PEOPLE)
READ = everybody(200, *READERS)
HIDDEN = everybody(404, *STRANGERS)
REASON = {"comment": "It is met now.", "password": PASSWORD}


def official(status: int) -> dict[str, int]:
    return {AI_OFFICIAL: status, **HIDDEN}


def staters(status: int) -> dict[str, int]:
    hands = (DATA_SCIENTIST, OPERATIONS_MANAGER, PROGRAM_MANAGER)
    return {**everybody(status, *hands), **HIDDEN}


def to_state(world):
    wish = {"practice": "human_training", "state": "met", "text": "Trained."}
    return of_version(approvals.validated_version(world)), wish


def to_read(world):
    return of_version(approvals.validated_version(world)), None


def to_grant(world):
    exceptions.high(world)
    wish = {
        "practices": ["human_training"],
        "ground": "raises_risk",
        "finding": "Training would delay warnings.",
        "public_summary": "Training would delay warnings.",
        "expires_on": (timezone.localdate() + timedelta(days=9)).isoformat(),
        "password": PASSWORD,
        "intent": "on",
    }
    return {"slug": world.project.slug}, wish


def waiver(world):
    return {"pk": exceptions.waiver(world).pk}, None


def to_revoke(world):
    return {"pk": exceptions.waiver(world).pk}, REASON


def to_report(world):
    today = timezone.localdate().isoformat()
    wish = {"what": "granting", "reported_on": today, "reference": "OMB-7"}
    return {"pk": exceptions.waiver(world).pk}, wish


def to_declare(world):
    wish = {"comment": "A storm.", "hours": 5, "intent": "on", "password": PASSWORD}
    return of_version(approvals.validated_version(world)), wish


def emergency(world):
    return {"pk": exceptions.emergency(world).pk}, None


def to_confirm(world):
    yes = {"comment": "I saw it.", "intent": "on", "password": PASSWORD}
    return {"pk": exceptions.emergency(world).pk}, yes


def manager(status: int) -> dict[str, int]:
    return {PROGRAM_MANAGER: status, **HIDDEN}


def confirmers(status: int) -> dict[str, int]:
    hands = (VALIDATOR, OPERATIONS_MANAGER, AI_OFFICIAL)
    return {**everybody(status, *hands), **HIDDEN}


def enders(status: int) -> dict[str, int]:
    return {**confirmers(status), PROGRAM_MANAGER: status}


def summary(world):
    exceptions.waiver(world)
    return {"ending": "csv"}, None


ROWS = [
    Row("approvals:practices", "get", to_read, READ),
    Row("approvals:practices", "post", to_state, staters(302), others=403),
    Row("v1:practices", "get", to_read, READ),
    Row("v1:practice_statements", "get", to_read, READ),
    Row("v1:practice_statements", "post", to_state, staters(201), others=403),
    Row("approvals:waivers", "get", expect=ALL),
    Row("approvals:waiver_summary", "get", summary, ALL),
    Row("approvals:project_waivers", "get", to_grant, READ),
    Row("approvals:project_waivers", "post", to_grant, official(302), others=403),
    Row("approvals:waiver", "get", waiver, READ),
    Row("approvals:revoke_waiver", "post", to_revoke, official(302), others=403),
    Row("approvals:report_waiver", "post", to_report, official(302), others=403),
    Row("approvals:emergencies", "get", of_project, READ),
    Row("approvals:declare_emergency", "get", to_declare, manager(200), others=403),
    Row("approvals:declare_emergency", "post", to_declare, manager(302), others=403),
    Row("approvals:emergency", "get", emergency, READ),
    Row("approvals:confirm_emergency", "post", to_confirm, confirmers(302), others=403),
    Row("approvals:end_emergency", "post", to_confirm, enders(302), others=403),
    Row("v1:emergencies", "get", expect=ALL),
    Row("v1:declare_emergency", "post", to_declare, manager(201), others=403),
    Row("v1:emergency", "get", emergency, READ),
    Row("v1:confirm_emergency", "post", to_confirm, confirmers(200), others=403),
    Row("v1:end_emergency", "post", to_confirm, enders(200), others=403),
    Row("v1:waivers", "get", expect=ALL),
    Row("v1:waiver_counts", "get", expect=ALL),
    Row("v1:waiver_summary", "get", summary, ALL),
    Row("v1:grant_waiver", "post", to_grant, official(201), others=403),
    Row("v1:waiver", "get", waiver, READ),
    Row("v1:revoke_waiver", "post", to_revoke, official(200), others=403),
    Row("v1:report_waiver", "post", to_report, official(200), others=403),
]
