"""What was recorded before the trackers came is carried over, and back."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.experiments.models import LatestMetric, Metric, Run
from tests.factories import experiments as factory
from tests.factories.experiments import MetricPoint

BEFORE = [("experiments", "0002_own_code")]


@pytest.fixture
def migrate(committed):
    """Bring the tables to a state; afterwards to the newest one."""
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()

    def to(targets=newest) -> None:
        MigrationExecutor(connection).migrate(targets)

    yield to
    to()


def test_runs_keep_their_metrics_there_and_back(migrate, world):
    made = factory.experiment(world.project, world.data_scientist)
    points = [MetricPoint("loss", 0.9, 1), MetricPoint("loss", 0.3, 2)]
    run = factory.run(made, world.data_scientist, metrics=points)

    migrate(BEFORE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, step, value FROM experiments_metric ORDER BY step")
        old = cursor.fetchall()
    migrate()

    found = Run.objects.get(pk=run.pk)
    at = int(found.recorded_at.timestamp() * 1000)
    assert old == [("loss", 1, 0.9), ("loss", 2, 0.3)]
    assert set(
        Metric.objects.values_list("run", "key", "timestamp", "step", "value")
    ) == {
        (run.pk, "loss", at, 1, 0.9),
        (run.pk, "loss", at, 2, 0.3),
    }
    assert LatestMetric.objects.get().value == 0.3
    assert found.started_at == found.ended_at == found.recorded_at
    assert found.status == "FINISHED"
