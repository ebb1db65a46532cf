"""The demonstration, told from beginning to end by a real worker on the real data."""

import json
import stat

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.approvals.models import ApprovalRequest
from apps.datasets.models import Dataset, VersionDiff
from apps.home.demo import story
from apps.projects.models import Project
from apps.registry.models import Alias, ModelVersion
from apps.training.models import CodeJob, TrainingJob
from apps.validation.models import SealedLook
from tests.factories import training

pytestmark = pytest.mark.worker


def test_seed_demo_leaves_what_the_tour_promises(workers, tmp_path, capsys):
    workers.start()
    access = tmp_path / "access.json"

    call_command("seed_demo", access=access)
    call_command("seed_demo", access=access)

    assert "there already" in capsys.readouterr().out
    champion = Alias.objects.get(name="champion").version
    assert (champion.number, champion.state) == (1, "approved")
    assert champion.run.regenerations.get().verdict == "identical"
    waiting = ApprovalRequest.objects.get(status="in_review")
    stages = waiting.stages.order_by("position")
    assert [bool(stage.completed_at) for stage in stages] == [True, True, False]
    failed = TrainingJob.objects.get(status="failed")
    assert "225 values" in failed.failure_message
    assert ModelVersion.objects.get(model__name="digit-reader").state == "validated"
    shows_what_is_known_of_the_data()
    shows_own_code()
    people = json.loads(access.read_text())
    assert stat.S_IMODE(access.stat().st_mode) == 0o600
    signer = User.objects.get(email=people["program_manager"]["email"])
    assert signer.check_password(people["program_manager"]["password"])


def shows_what_is_known_of_the_data():
    strikes = Dataset.objects.get(name="strikes")
    first, second = strikes.versions.order_by("number")
    assert second.contract_check["verdict"] != "failed"
    assert VersionDiff.objects.get(after=second).result["rows"]["added"] == 627
    assert (first.row_count, second.row_count) == (9_373, 10_000)
    assert SealedLook.objects.count() == 1


def shows_own_code():
    job = CodeJob.objects.get()
    if job.status == "failed":
        assert job.failure_code == "refused"
    else:
        assert job.run.regenerations.get().verdict == "identical"


def test_seed_demo_does_not_go_on_with_half_a_story(project, tmp_path):
    with pytest.raises(CommandError, match="make demo-reset"):
        call_command("seed_demo", access=tmp_path / "access.json")

    assert Project.objects.get() == project


def test_seed_demo_refuses_production(db, settings, tmp_path):
    settings.IS_PRODUCTION = True

    with pytest.raises(CommandError, match="production"):
        call_command("seed_demo", access=tmp_path / "access.json")


def test_wait_says_that_no_worker_came(project, data_scientist, monkeypatch):
    monkeypatch.setattr(story, "PATIENCE_SECONDS", 0.1)
    job = training.launched_job(project, data_scientist)

    with pytest.raises(story.DemoStuck, match="Is a worker running"):
        story.wait(job)
