"""Contracts of datasets: the newest, and a proposal."""

from __future__ import annotations

from apps.datasets.models import (
    ContractRevision,
    Dataset,
    DatasetVersion,
    HintDecision,
)
from engine.spec import Contract, propose_contract


def newest_revision(dataset: Dataset) -> ContractRevision | None:
    """Find what new versions are held to now."""
    revisions = ContractRevision.objects.filter(dataset=dataset)
    return revisions.select_related("saved_by").order_by("-number").first()


def newest_ready(dataset: Dataset) -> DatasetVersion | None:
    """Find the newest version that was read."""
    versions = DatasetVersion.objects.ready().filter(dataset=dataset)
    return versions.order_by("-number").first()


def propose_for(version: DatasetVersion) -> Contract:
    """Propose a contract from the profile of a version that was read."""
    hints = version.personal_hints.exclude(decision=HintDecision.DISMISSED)
    return propose_contract(
        version.profile.get("columns", []),
        version.row_count or 0,
        version.created_at.date(),
        set(hints.values_list("column", flat=True)),
    )


def revision_before(revision: ContractRevision) -> ContractRevision | None:
    """Find the revision that this one replaced."""
    earlier = ContractRevision.objects.filter(
        dataset=revision.dataset_id, number__lt=revision.number
    )
    return earlier.order_by("-number").first()


def contract_to_edit(
    newest: ContractRevision | None, ready: DatasetVersion | None, *, propose: bool
) -> Contract:
    """Choose what the form begins with: what stands, or else a proposal.

    Args:
        newest: the revision in force.
        ready: the newest version that was read.
        propose: propose anew although there is a revision.
    """
    if newest and not (propose and ready):
        return newest.contract()
    return propose_for(ready) if ready else Contract()
