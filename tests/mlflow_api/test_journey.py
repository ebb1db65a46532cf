"""The stock client against a real portal, over HTTP."""

from apps.audit.models import AuditEvent
from apps.experiments.models import Experiment, LoggedModel, LogSegment, Run
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


def test_the_stock_client_logs_models_and_loads_them(portal, world, tmp_path):
    portal.run("models.py", tmp_path)

    key = (tmp_path / "model.txt").read_text().removeprefix("m-")
    model = LoggedModel.objects.get(pk=key)
    files = set(model.files.values_list("path", flat=True))
    assert {"MLmodel", "requirements.txt"} <= files
    told = AuditEvent.objects.filter(target_id=str(model.pk))
    finished = told.get(type="logged_model.finished").changes
    assert finished["status"] == ["PENDING", "READY"]
    assert set(finished["files"]) == files
    closed = LogSegment.objects.get(run=(tmp_path / "run.txt").read_text())
    assert closed.model_metrics == 2
    assert closed.digest == segment_digest(closed)
