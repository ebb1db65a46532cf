"""What somebody wants of an export, before it is one."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.audit.queries import AuditFilter
from apps.exports.models import ExportForm


@dataclass(frozen=True)
class Wish:
    """What somebody wants of an export.

    Attributes:
        form: of the file.
        filter: which events; a bundle has all of them.
        with_names: with names and addresses of people; proofs never have them.
        with_byte_order_mark: for CSV that Excel shall open.
    """

    form: ExportForm
    filter: AuditFilter = field(default_factory=AuditFilter)
    with_names: bool = False
    with_byte_order_mark: bool = False
