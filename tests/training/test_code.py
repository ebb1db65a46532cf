"""People's own code: asking for it, running it, and what it may become."""

import json

import pytest
from django.urls import reverse

from apps.core import blobs, sandbox
from apps.core.errors import Invalid, Refused, WrongState
from apps.core.sandbox import Mode, modes
from apps.experiments.models import Run
from apps.jobs.models import JobStatus
from apps.projects.actions import set_code_policy
from apps.registry.actions import register_version
from apps.registry.rules import can_register_version
from apps.training import actions, tasks
from apps.training.models import CodeJob
from tests.factories import code, training
from tests.factories.code import launched_code, upload, zipped
from tests.trail import nothing_recorded, one_event

needs_namespaces = pytest.mark.skipif(
    all(modes.why_not(mode) for mode in (Mode.BUBBLEWRAP, Mode.NAMESPACES)),
    reason="this host has neither bubblewrap nor namespaces",
)


@pytest.fixture
def version(project, data_scientist, tmp_path):
    return code.real_data(project, data_scientist, tmp_path)


def test_set_code_policy_leaves_an_event(project, program_manager):
    with one_event("project.code_policy_set") as found:
        set_code_policy(project=project, allows_code=True, by=program_manager)
        set_code_policy(project=project, allows_code=True, by=program_manager)

    assert project.__class__.objects.get(pk=project.pk).allows_code
    assert found[0].changes == {"allows_code": [False, True]}


def test_set_code_policy_is_for_the_program_manager(project, data_scientist):
    with nothing_recorded(), pytest.raises(Refused):
        set_code_policy(project=project, allows_code=True, by=data_scientist)


def test_launch_code_keeps_what_was_sent(project, data_scientist):
    code.allow(project)
    training.data(project, data_scientist)
    training.experiment(project, data_scientist)

    with one_event("code.launched") as found:
        job = launched_code(project, data_scientist)

    with blobs.open_blob(job.code_sha256) as stored:
        assert stored.read() == zipped().getvalue()
    assert job.spec["entry"] == "train:main"
    assert found[0].changes["tree_digest"] == job.tree_digest
    assert found[0].changes["code_sha256"] == job.code_sha256


def test_launch_code_needs_the_policy(project, program_manager, data_scientist):
    job = launched_code(project, data_scientist)
    set_code_policy(project=project, allows_code=False, by=program_manager)
    wish = {"name": "Mine", "submission_key": None}

    with nothing_recorded(), pytest.raises(WrongState, match="program manager"):
        actions.launch_code(
            experiment=job.experiment,
            dataset_version=job.dataset_version,
            wish=wish,
            code=zipped(),
            by=data_scientist,
        )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"parameters": {"a": [1]}}, "parameters"),
        ({"name": " "}, "name"),
        ({"code": zipped(**{"project.yaml": "entry: os.system"})}, "code"),
    ],
)
def test_launch_code_says_what_does_not_fit(project, data_scientist, changes, field):
    with pytest.raises(Invalid) as refusal:
        launched_code(project, data_scientist, **changes)

    assert set(refusal.value.fields) == {field}
    assert not CodeJob.objects.exists()


def test_launch_code_twice_with_a_key_is_one_job(project, data_scientist, validator):
    first = launched_code(project, data_scientist)

    again = launched_code(project, data_scientist, submission_key=first.submission_key)

    assert again == first
    other = training.experiment(project, data_scientist, "Other")
    with pytest.raises(Invalid, match="used before"):
        actions.launch_code(
            experiment=other,
            dataset_version=first.dataset_version,
            wish={"name": "x", "submission_key": first.submission_key},
            code=zipped(),
            by=data_scientist,
        )


def carried_out(job: CodeJob) -> CodeJob:
    tasks.run_code(pk=str(job.pk))
    job.refresh_from_db()
    return job


@needs_namespaces
def test_own_code_becomes_a_run(project, data_scientist, version):
    job = carried_out(launched_code(project, data_scientist, version=version))

    assert job.status == JobStatus.SUCCEEDED, (job.failure_message, job.failure_details)
    run = job.run
    assert run.source == "code"
    assert run.summary["code"]["tree_digest"] == job.tree_digest
    assert run.summary["code"]["requirements"] == {}
    assert "no model.skops and no model.onnx" in run.summary["note"]
    assert "signature" not in run.summary
    figures = set(run.metrics.values_list("key", "step", "value"))
    assert figures == {
        ("accuracy", 0, 0.9),
        ("seed", 0, 7.0),
        ("loss", 0, 0.25),
        ("loss", 1, 0.5),
        ("loss", 2, 0.25),
    }
    kept = set(run.artifacts.values_list("path", flat=True))
    assert kept == {"note.txt", "record.json", "engine.zip"}
    assert job.live_metrics[-1] == ["loss", 2, 0.25]
    assert not can_register_version(data_scientist, run)


MODEL = """
import duckdb, json
from engine.package import save_model
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

def main(context):
    rows = duckdb.sql(f"SELECT * FROM '{context.data}'").fetchnumpy()
    model = make_pipeline(LogisticRegression())
    model.fit(rows["speed"].reshape(-1, 1), rows["damaged"])
    save_model(model, context.output / "model.skops")
    signature = {
        "task": "binary", "target": "damaged", "positive_label": "1",
        "threshold": 0.5, "classes": ["0", "1"], "outputs": ["label"],
        "numbers": ["speed"], "categories": [],
        "inputs": [{"name": "speed", "kind": "number", "type": "integer"}],
    }
    (context.output / "signature.json").write_text(json.dumps(signature))
"""
UNREVIEWED = """
import skops.io
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
import os

def main(context):
    skops.io.dump(make_pipeline(FunctionTransformer(os.getcwd)),
                  context.output / "model.skops")
    (context.output / "signature.json").write_text("{}")
"""


@needs_namespaces
def test_a_model_of_reviewed_types_can_be_registered(project, data_scientist, version):
    content = zipped(**{"train.py": MODEL})

    job = carried_out(
        launched_code(project, data_scientist, code=content, version=version)
    )

    assert job.status == JobStatus.SUCCEEDED, (job.failure_message, job.failure_details)
    assert job.run.summary["note"] == ""
    assert can_register_version(data_scientist, job.run)


ONNX = """
import json
from onnx import TensorProto, helper

def main(context):
    node = helper.make_node("Sigmoid", ["speed"], ["chance"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1])
            for name in ("speed", "chance")]
    graph = helper.make_graph([node], "model", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    model.ir_version = 10
    (context.output / "model.onnx").write_bytes(model.SerializeToString())
    signature = {
        "task": "binary", "target": "damaged", "positive_label": "1",
        "classes": ["0", "1"], "outputs": ["chance"],
        "numbers": ["speed"], "categories": [],
        "inputs": [{"name": "speed", "kind": "number", "type": "integer"}],
    }
    (context.output / "signature.json").write_text(json.dumps(signature))
"""


@needs_namespaces
def test_an_onnx_file_alone_can_be_registered(project, data_scientist, version):
    content = zipped(**{"train.py": ONNX})

    job = carried_out(
        launched_code(project, data_scientist, code=content, version=version)
    )

    assert job.status == JobStatus.SUCCEEDED, (job.failure_message, job.failure_details)
    assert job.run.summary["note"] == ""
    assert can_register_version(data_scientist, job.run)


FORGED = """
import json, os
def main(context):
    folder = context.output.parent
    context.output.joinpath("model.skops").write_text("not a model")
    context.output.joinpath("signature.json").write_text("{}")
    for name in ("engine", "skops", "json"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise SystemExit")
    result = {"status": "succeeded", "metrics": {"accuracy": 1.0},
              "metric_history": [], "signature": {"task": "binary"}, "note": ""}
    (folder / "result.json").write_text(json.dumps(result))
    os._exit(0)
"""


@needs_namespaces
@pytest.mark.parametrize(
    ("lines", "note"),
    [(UNREVIEWED, "not on the list of reviewed types"), (FORGED, "damaged or not a")],
    ids=["unreviewed", "forged"],
)
def test_other_models_are_kept_and_never_evaluated(
    project, data_scientist, version, lines, note
):
    content = zipped(**{"train.py": lines})

    job = carried_out(
        launched_code(project, data_scientist, code=content, version=version)
    )

    assert job.status == JobStatus.SUCCEEDED, (job.failure_message, job.failure_details)
    assert note in job.run.summary["note"]
    registered = register_version(
        project=project,
        run=job.run,
        model_name="mine",
        description="",
        by=data_scientist,
    )
    assert registered.unfit_reason
    assert registered.signature == {}
    assert [one["path"] for one in registered.manifest].count("model.skops") == 1


FORGED_BADLY = """
import os
def main(context):
    result = context.output.parent / "result.json"
    result.write_text('{"status": "succeeded", "metrics": []}')
    os._exit(0)
"""
FAILING = {
    "raises": (
        "def main(context):\n    raise KeyError('speed')\n",
        "bad_input",
        "failed in train.py, line 2: KeyError: 'speed'",
    ),
    "exits": ("import sys\ndef main(c): sys.exit(3)\n", "bad_input", "SystemExit: 3"),
    "no function": ("main = 7\n", "bad_input", "not callable"),
    "no figures": ("def main(c): return 'ok'\n", "bad_input", "must return figures"),
    "no number": (
        "def main(c): return {'a': float('nan')}\n",
        "bad_input",
        "is no number",
    ),
    "syntax": ("def main(:\n", "bad_input", "SyntaxError"),
    "vanishes": ("import os\ndef main(c): os._exit(7)\n", "internal", "unexpectedly"),
    "forges badly": (FORGED_BADLY, "bad_input", "a result that is not one"),
}


@needs_namespaces
@pytest.mark.parametrize("kind", FAILING)
def test_code_that_fails_says_where(project, data_scientist, version, kind):
    lines, reason, sentence = FAILING[kind]
    content = zipped(**{"train.py": lines})

    job = carried_out(
        launched_code(project, data_scientist, code=content, version=version)
    )

    assert (job.status, job.failure_code) == (JobStatus.FAILED, reason)
    assert sentence in job.failure_message
    assert not Run.objects.exists()


@needs_namespaces
def test_packages_must_be_here_in_the_same_version(project, data_scientist, version):
    content = zipped(
        **{
            "project.yaml": "entry: train:main\nrequirements: lock.txt",
            "lock.txt": "numpy==0.1\nno-such-package==1\n",
        }
    )

    job = carried_out(
        launched_code(project, data_scientist, code=content, version=version)
    )

    assert "The project needs numpy 0.1, and here it is" in job.failure_message
    assert job.failure_details[1]["installed"] is None


def test_own_code_does_not_run_in_plain_mode_unless_allowed(
    project, data_scientist, version, settings
):
    settings.JOB_SANDBOX = ["plain"]

    refused = carried_out(launched_code(project, data_scientist, version=version))
    settings.JOB_CODE_IN_PLAIN_MODE = True
    allowed = carried_out(launched_code(project, data_scientist, version=version))

    assert (refused.status, refused.failure_code) == (JobStatus.FAILED, "refused")
    assert "neither bubblewrap nor namespaces" in refused.failure_message
    assert allowed.status == JobStatus.SUCCEEDED, allowed.failure_details


def test_own_code_fails_where_nothing_is_allowed(
    project, data_scientist, version, settings
):
    settings.JOB_SANDBOX = []

    job = carried_out(launched_code(project, data_scientist, version=version))

    assert job.failure_code == "no_sandbox"


def test_own_code_does_not_run_when_the_policy_changed(
    project, program_manager, data_scientist, version
):
    job = launched_code(project, data_scientist, version=version)
    set_code_policy(project=project, allows_code=False, by=program_manager)

    carried_out(job)

    assert (job.status, job.failure_code) == (JobStatus.FAILED, "refused")


def form_of(project, by, **changes) -> dict:
    return {
        "submission_key": "01a216b3-9a2c-78ca-a336-380f691e3544",
        "name": "Mine",
        "experiment": str(training.experiment(project, by).pk),
        "dataset_version": str(training.data(project, by).pk),
        "code": upload(),
        "parameters": '{"depth": 2}',
        "seed": "1",
        **changes,
    }


def test_the_form_launches_code(project, data_scientist, client_of):
    code.allow(project)
    client, form = client_of(data_scientist), form_of(project, data_scientist)
    path = reverse("training:launch_code", args=[project.slug])

    response = client.post(path, form)

    job = CodeJob.objects.get()
    assert response.status_code == 302
    assert response.headers["Location"] == job.get_absolute_url()
    assert job.spec["parameters"] == {"depth": 2}
    html = client.get(job.get_absolute_url()).content.decode()
    assert "train:main" in html
    assert job.tree_digest in html
    assert "Waiting for a worker" in html
    listed = client.get(reverse("training:code_jobs", args=[project.slug]))
    assert "Mine" in listed.content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"parameters": "{"}, "This is not JSON"),
        ({"parameters": "[1]"}, "Give names and values"),
        ({"code": upload(zipped(**{"project.yaml": None}))}, "no project.yaml"),
        ({"code": ""}, "required"),
    ],
)
def test_the_form_says_what_does_not_fit(
    project, data_scientist, client_of, changes, sentence
):
    code.allow(project)
    path = reverse("training:launch_code", args=[project.slug])

    response = client_of(data_scientist).post(
        path, form_of(project, data_scientist, **changes)
    )

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not CodeJob.objects.exists()


def test_the_form_is_closed_where_the_project_does_not_allow_code(
    project, data_scientist, client_of
):
    path = reverse("training:launch_code", args=[project.slug])

    assert client_of(data_scientist).get(path).status_code == 409


def test_status_shows_progress_and_stops_when_ended(
    project, data_scientist, client_of, worker
):
    job = launched_code(project, data_scientist)
    client = client_of(data_scientist)
    path = reverse("training:code_job_status", args=[job.pk])
    running = client.get(path)

    client.post(reverse("training:cancel_code", args=[job.pk]))

    assert running.status_code == 200
    assert client.get(path).status_code == 286


def test_own_code_over_the_api(project, data_scientist, api_of):
    code.allow(project)
    api = api_of(data_scientist)
    path = reverse("v1:code_jobs", args=[project.slug])
    form = form_of(project, data_scientist)

    answer = api.post(path, form)
    body = answer.json()
    listed = api.get(path).json()
    cancelled = api.post(reverse("v1:cancel_code", args=[body["id"]]))

    assert answer.status_code == 202, body
    assert body["spec"]["seed"] == 1
    assert listed["results"][0]["id"] == body["id"]
    assert cancelled.json()["status"] == "cancelled"
    assert api.get(body["status_url"]).json()["status"] == "cancelled"


@pytest.mark.parametrize("parameters", ["{", "[]", json.dumps({"a": {"b": 1}})])
def test_the_api_refuses_parameters_that_are_none(
    project, data_scientist, api_of, parameters
):
    code.allow(project)
    path = reverse("v1:code_jobs", args=[project.slug])
    form = form_of(project, data_scientist, parameters=parameters)

    assert api_of(data_scientist).post(path, form).status_code == 422


def test_keep_only_outputs_removes_the_rest(settings):
    with sandbox.job_folder("x") as folder:
        (folder / "outputs" / "model").write_text("m")
        (folder / "engine").mkdir()
        (folder / "result.json").symlink_to("/etc/passwd")

        sandbox.keep_only_outputs(folder)

        left = sorted(path.name for path in folder.rglob("*"))
    assert left == ["inputs", "model", "outputs", "tmp"]
