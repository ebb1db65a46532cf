"""A project with one dataset version, on which people train."""

import time
from pathlib import Path

from django.utils import timezone

from apps.accounts.models import User
from apps.core import blobs
from apps.datasets.models import Dataset, DatasetVersion
from apps.experiments.models import Experiment
from apps.jobs.models import JobStatus
from apps.projects.models import Membership, Project
from apps.training.actions import launch_training
from apps.training.models import TrainingJob
from apps.training.tasks import run_training
from benchmarks import table


class Portal:
    """Trains as people and workers do.

    Args:
        data: Parquet, stored as a version that was read.
        rows: how many it has.

    Attributes:
        roc_auc: of the last training, on its held-out rows.
    """

    roc_auc = 0.0

    def __init__(self, data: Path, rows: int) -> None:
        self._person = User.objects.create(email="scientist@agency.example")
        project = Project.objects.create(
            slug="bench", name="Bench", created_by=self._person
        )
        Membership.objects.create(
            project=project, user=self._person, role="data_scientist"
        )
        self._experiment = Experiment.objects.create(
            project=project, name="Bench", created_by=self._person
        )
        dataset = Dataset.objects.create(
            project=project, name="table", created_by=self._person
        )
        stored = blobs.store_path(data)
        names = [*table.NUMBERS, *table.COUNTS, *table.CATEGORIES, table.TARGET]
        self._version = DatasetVersion.objects.create(
            dataset=dataset,
            number=1,
            original_name=data.name,
            format="parquet",
            original_sha256=stored.sha256,
            original_bytes=stored.size_bytes,
            parquet_sha256=stored.sha256,
            parquet_bytes=stored.size_bytes,
            row_count=rows,
            columns=[{"name": name, "type": "text"} for name in names],
            uploaded_by=self._person,
            status=JobStatus.SUCCEEDED,
            finished_at=timezone.now(),
        )

    def train(self, spec: dict[str, object]) -> float:
        """Launch a training and carry it out; return the seconds it took."""
        started = time.perf_counter()
        job = launch_training(
            experiment=self._experiment,
            dataset_version=self._version,
            name="Bench",
            spec=spec,
            by=self._person,
        )
        run_training(pk=str(job.pk))
        seconds = time.perf_counter() - started
        job = TrainingJob.objects.get(pk=job.pk)
        assert job.run is not None, (job.status, job.failure_message)
        metrics = job.run.metrics.filter(key="test.roc_auc")
        self.roc_auc = metrics.get().value
        return seconds
