"""Sealed rows as people bring them in and workers read them."""

import io

from apps.accounts.actions import service_account
from apps.core.sandbox import Outcome
from apps.datasets import actions
from apps.datasets.models import Dataset, DatasetVersion, SealedPart
from apps.jobs.actions import start_job
from apps.registry.models import ModelVersion
from tests.factories import datasets, registry, training

SEAL = {"method": "random", "ratio": 0.2, "column": None, "seed": 7}
ROWS = b"species,speed\nOwl,40\n"
SEALED = b"PAR1 sealed rows PAR1"


def split_version(
    dataset: Dataset, by, content: bytes = datasets.CSV, result: dict | None = None
) -> DatasetVersion:
    """A version of which reading put rows aside."""
    waiting = waiting_split(dataset, by, content)
    running = start_job(model=DatasetVersion, pk=waiting.pk, by=service_account())
    folder = datasets.folder_of(running)
    (folder / "outputs" / "sealed.parquet").write_bytes(SEALED)
    put_aside = {"rows": 40, "rows_left": 160, "method": "random", "repeated": 2}
    found = {**(result or datasets.RESULT), "sealed": put_aside}
    return datasets.finish(running, result=found)


def waiting_split(
    dataset: Dataset, by, content: bytes = datasets.CSV
) -> DatasetVersion:
    """An upload of which rows will be put aside."""
    return actions.upload_version(
        dataset=dataset,
        content=io.BytesIO(content),
        original_name="rows.csv",
        seal=SEAL,
        by=by,
    )


def waiting_part(dataset: Dataset, by, content: bytes = ROWS) -> SealedPart:
    """A sealed part in a file of its own, which waits to be read."""
    return actions.upload_sealed_part(
        version=datasets.ready_version(dataset, by),
        content=io.BytesIO(content),
        original_name="sealed.csv",
        by=by,
    )


def finish_part(part: SealedPart, schema: list | None = None) -> SealedPart:
    """End the reading of a part well."""
    running = start_job(model=SealedPart, pk=part.pk, by=service_account())
    folder = datasets.folder_of(running)
    (folder / "outputs" / "data.parquet").write_bytes(SEALED)
    schema = schema or datasets.RESULT["schema"]
    result = {**datasets.RESULT, "row_count": 40, "schema": schema}
    outcome = Outcome("succeeded", folder, result=result)
    return actions.finish_sealed_part(
        job=running, outcome=outcome, by=service_account()
    )


def model_version(project, by, name: str = "damage") -> ModelVersion:
    """A version of a model whose data has sealed rows."""
    found = DatasetVersion.objects.filter(dataset__name="sealed-strikes").first()
    data = found or split_version(
        datasets.dataset(project, by, "sealed-strikes"),
        by,
        content=b"split\n1\n",
        result=training.CONTENT,
    )
    return registry.model_version(project, by, name, dataset_version=data)
