"""What is expected of new versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.datasets import rules
from apps.datasets.actions.describe import lock_dataset
from apps.datasets.contract_words import contract_difference
from apps.datasets.models import ContractRevision, Dataset
from engine.spec import Contract, SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User

LONGEST_NOTE = 300


@transaction.atomic
def save_contract(
    *, dataset: Dataset, content: Mapping[str, Any], note: str, by: User
) -> ContractRevision:
    """Write the next revision of a data contract; uploads from now on are held to it.

    Args:
        dataset: which.
        content: the contract as JSON (`engine.spec.Contract`).
        note: why it changes, at most 300 characters; may be empty.
        by: somebody who may describe the dataset.

    Raises:
        Invalid: the contract is wrong, naming the field, or the same as before.
        Refused: only who may describe datasets.
    """
    dataset = lock_dataset(dataset)
    ensure(rules.can_save_contract(by, dataset))
    contract = _read(content)
    _check_note(note)
    newest = dataset.contract_revisions.order_by("-number").first()
    changes = contract_difference(newest.contract() if newest else Contract(), contract)
    if newest and not changes:
        raise Invalid(f"This is the same contract as revision {newest.number}.")
    revision = ContractRevision.objects.create(
        dataset=dataset,
        number=newest.number + 1 if newest else 1,
        content=contract.to_json(),
        note=note,
        saved_by=by,
    )
    record(
        EventType.DATASET_CONTRACT_SAVED,
        target=revision,
        project=dataset.project,
        by=by,
        changes={"note": note, **changes},
    )
    return revision


def _read(content: Mapping[str, Any]) -> Contract:
    try:
        return Contract.from_json({**content, "revision": 0})
    except SpecError as error:
        raise Invalid(
            f"The contract needs correcting: {error}",
            fields={error.field: error.problem[:1].upper() + error.problem[1:]},
        ) from error


def _check_note(note: str) -> None:
    if len(note) > LONGEST_NOTE or not all(
        c.isprintable() or c.isspace() for c in note
    ):
        sentence = f"At most {LONGEST_NOTE} printable characters."
        raise Invalid(sentence, fields={"note": sentence})
