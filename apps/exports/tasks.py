"""Writing of exports in the background, and removing them after their time."""

from typing import Any

from apps.accounts.actions import service_account
from apps.core.queue import task
from apps.exports import actions
from apps.exports.models import AuditExport
from apps.exports.writing import write
from apps.jobs.execution import carry_out


@task("exports.write_export", queue="exports")
def write_export(*, pk: str, **_: Any) -> None:
    """Write one export, unless another worker has it."""
    carry_out(AuditExport, pk, work=write, finish=actions.finish_export)


@task("exports.remove_old")
def remove_old(**_: Any) -> None:
    """Remove the files that were kept long enough."""
    worker = service_account()
    for export in AuditExport.objects.kept_too_long():
        actions.remove_export(export=export, by=worker)
