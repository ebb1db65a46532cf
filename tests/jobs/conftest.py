"""Jobs of every kind, and an engine that does as it is told."""

from pathlib import Path

import pytest

from apps.core.sandbox import Outcome
from apps.jobs.actions import start_job
from tests.core.conftest import engine_that
from tests.factories import (
    datasets,
    exports,
    regenerations,
    registry,
    sealed,
    training,
    validation,
)
from tests.factories.code import launched_code

__all__ = ["engine_that"]


def waiting_version(project, by):
    return datasets.version(datasets.dataset(project, by), by)


def waiting_diff(project, by):
    return datasets.requested_diff(datasets.dataset(project, by), by)


def waiting_sealed_part(project, by):
    return sealed.waiting_part(datasets.dataset(project, by), by)


def waiting_report(project, by):
    return validation.requested_report(registry.model_version(project, by), by)


def waiting_export(project, by):
    by.agency_roles = ["auditor"]
    by.save()
    return exports.requested(by)


@pytest.fixture(
    params=[
        waiting_version,
        waiting_diff,
        waiting_sealed_part,
        training.launched_job,
        waiting_report,
        waiting_export,
        regenerations.requested,
        launched_code,
    ],
    ids=[
        "ingest",
        "diff",
        "sealed part",
        "training",
        "report",
        "export",
        "regeneration",
        "code",
    ],
)
def waiting(request, project, data_scientist):
    """A job that waits for a worker: all that follows holds for each kind."""
    return request.param(project, data_scientist)


@pytest.fixture
def running(waiting, worker):
    """The same job, claimed."""
    return start_job(model=type(waiting), pk=waiting.pk, by=worker)


@pytest.fixture
def failure() -> Outcome:
    return Outcome(
        "failed", Path(), code="bad_input", message="Row 2 does not fit.", details=[2]
    )
