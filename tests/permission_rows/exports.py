"""Rows of exports of the audit trail."""

from tests.factories import exports
from tests.permission_rows import AUDITOR, PROGRAM_MANAGER, Row, everybody


def sealed(world):
    exports.seal_everything()
    return {}, None


def wish_of_a_form(world):
    exports.seal_everything()
    return {}, {"form": "csv"}


def wish(world):
    exports.seal_everything()
    return {}, {"form": "jsonl", "filter": {"type": "member.added"}}


def waiting(world):
    return {"pk": exports.requested(world.auditor, "bundle").pk}, None


def finished(world):
    return {"pk": exports.written(world.auditor, "bundle").pk}, None


EXPORTERS = everybody(200, PROGRAM_MANAGER, AUDITOR)
ITS_MAKER = {AUDITOR: 200}

ROWS = [
    Row("exports:list", "get", others=200),
    Row("exports:request_export", "get", sealed, EXPORTERS, others=403),
    Row(
        "exports:request_export",
        "post",
        wish_of_a_form,
        everybody(302, PROGRAM_MANAGER, AUDITOR),
        others=403,
    ),
    Row("exports:export", "get", waiting, ITS_MAKER),
    Row("exports:export_status", "get", waiting, ITS_MAKER),
    Row("exports:cancel_export", "post", waiting, {AUDITOR: 302}),
    Row("exports:download_export", "get", finished, ITS_MAKER),
    Row("exports:download_assessment", "get", finished, ITS_MAKER),
    Row("v1:audit_exports", "get", others=200),
    Row(
        "v1:audit_exports",
        "post",
        wish,
        everybody(202, PROGRAM_MANAGER, AUDITOR),
        others=403,
    ),
    Row("v1:audit_export", "get", waiting, ITS_MAKER),
    Row("v1:cancel_audit_export", "post", waiting, ITS_MAKER),
    Row("v1:download_audit_export", "get", finished, ITS_MAKER),
    Row("v1:download_audit_assessment", "get", finished, ITS_MAKER),
]
