"""The stock client against a real portal, over HTTP."""

from apps.audit.models import AuditEvent
from apps.experiments.models import Experiment, LogSegment, Run
from apps.experiments.queries import segment_digest


def test_the_stock_client_finds_what_it_expects(portal, world, tmp_path):
    portal.run("journey.py", tmp_path)
    portal.run("plain.py", tmp_path)

    run = Run.objects.get(pk=(tmp_path / "run.txt").read_text())
    assert str(run.experiment) == f"{world.project.slug}/Churn 2"
    assert run.recorded_by == world.data_scientist
    assert Experiment.objects.filter(project=world.project, name="Default").count() == 1
    closed = LogSegment.objects.filter(run=run, closed_at__isnull=False)
    assert closed.get().digest == segment_digest(closed.get())
    told = AuditEvent.objects.filter(target_id=str(run.pk), type="run.logged")
    assert told.get().changes["digest"] == closed.get().digest
