"""A run of somebody's own code is done again from its record, like any other."""

import json
import zipfile
from io import BytesIO

import pytest

from apps.core import blobs
from apps.core.errors import Refused, WrongState
from apps.experiments.models import Run
from apps.jobs.models import JobStatus
from apps.projects.actions import set_code_policy
from apps.training import actions, tasks
from apps.training.models import CodeJob
from tests.factories import code, regenerations
from tests.factories.code import launched_code, zipped
from tests.training.test_code import needs_namespaces

pytestmark = needs_namespaces
SEEDED = """
import random

def main(context):
    random.seed(context.seed)
    (context.output / "model.onnx").write_text(str(random.random()))
    return {"accuracy": random.random()}
"""
BY_CHANCE = SEEDED.replace("random.seed(context.seed)", "random.seed()")


@pytest.fixture
def version(project, data_scientist, tmp_path):
    return code.real_data(project, data_scientist, tmp_path)


def own_run(project, by, version, text: str = SEEDED) -> Run:
    sent = zipped(**{"train.py": text})
    job = launched_code(project, by, version=version, code=sent)
    tasks.run_code(pk=str(job.pk))
    job = CodeJob.objects.get(pk=job.pk)
    assert job.status == JobStatus.SUCCEEDED, (job.failure_message, job.failure_details)
    return job.run


def damaged(sha256: str) -> None:
    with blobs.open_blob(sha256) as stored:
        path = stored.name
    with open(path, "ab") as file:
        file.write(b"!")


def test_own_code_that_uses_its_seed_is_identical(project, data_scientist, version):
    run = own_run(project, data_scientist, version)

    found = regenerations.done_again(run, data_scientist)

    assert (found.status, found.verdict) == (JobStatus.SUCCEEDED, "identical"), (
        found.failure_message
    )
    assert found.facts["sentence"] == "Identical: model.onnx is equal byte for byte."
    assert found.certificate_sha256


def test_chance_in_own_code_is_found_where_it_works(project, data_scientist, version):
    run = own_run(project, data_scientist, version, BY_CHANCE)

    found = regenerations.done_again(run, data_scientist)

    assert found.verdict == "different"
    assert found.facts["first_step"] == "model.onnx"
    assert found.facts["causes"][0]["kind"] == "nondeterminism"


def test_code_that_was_changed_in_the_store_is_named(project, data_scientist, version):
    run = own_run(project, data_scientist, version)
    damaged(run.code_job.code_sha256)

    found = regenerations.done_again(run, data_scientist)

    assert found.verdict == "data_damaged"
    assert "the code of the project is not what it was" in found.facts["sentence"]


def test_own_code_runs_again_only_where_it_is_allowed(
    project, program_manager, data_scientist, version
):
    run = own_run(project, data_scientist, version)
    waiting = actions.request_regeneration(run=run, by=data_scientist)
    set_code_policy(project=project, allows_code=False, by=program_manager)

    tasks.run_regeneration(pk=str(waiting.pk))

    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code) == (JobStatus.FAILED, "refused")
    with pytest.raises(WrongState, match="program manager"):
        actions.request_regeneration(run=run, by=data_scientist)


def test_a_record_that_asks_for_other_code_is_not_believed(
    project, data_scientist, version
):
    run = own_run(project, data_scientist, version)
    waiting = actions.request_regeneration(run=run, by=data_scientist)
    CodeJob.objects.filter(run=run).update(code_sha256="0" * 64)

    tasks.run_regeneration(pk=str(waiting.pk))

    waiting.refresh_from_db()
    assert waiting.failure_code == "record_damaged"


def test_the_bundle_has_project_and_data(project, data_scientist, version, client_of):
    run = own_run(project, data_scientist, version)

    answer = client_of(data_scientist).get(f"/runs/{run.pk}/regeneration-bundle/")

    with zipfile.ZipFile(BytesIO(answer.getvalue())) as bundle:
        readme = bundle.read("README.md").decode()
        spec = json.loads(bundle.read("job/spec.json"))
        names = set(bundle.namelist())
    assert {"job/inputs/project.zip", "job/inputs/data.parquet"} <= names
    assert "engine run_code job" in readme
    assert "engine verify_code job" in readme
    assert spec == run.code_job.spec


def test_the_bundle_asks_for_the_right_to_the_data(project, data_scientist, version):
    run = own_run(project, data_scientist, version)
    operations = project.memberships.get(role="operations_manager").user
    with pytest.raises(Refused):
        actions.download_regeneration_bundle(run=run, by=operations)
