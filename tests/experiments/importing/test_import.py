"""Whole sources, written by the stock client, brought over by the command."""

from __future__ import annotations

import hashlib
import math
import os
import signal
import subprocess
import sys
from io import StringIO
from itertools import chain

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from apps.audit.models import AuditEvent
from apps.experiments.import_reports import import_counts
from apps.experiments.models import (
    REGISTRY_KINDS,
    ImportedItem,
    LoggedModel,
    LogSegment,
    Run,
    RunImport,
)
from apps.experiments.queries import segment_digest
from apps.mlflow_api.shapes import milliseconds


def bring(world, source: str, by=None) -> str:
    told = StringIO()
    call_command(
        "import_mlflow",
        source,
        project=world.project.slug,
        by=(by or world.data_scientist).email,
        stdout=told,
    )
    return told.getvalue()


def number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def here(item: ImportedItem) -> dict:
    """Tell a run that came over in the words of fill.py."""
    run = item.run
    tags = dict(run.tags.values_list("key", "value"))
    points = run.metrics.values_list("key", "timestamp", "step", "value")
    return {
        "experiment": tags.pop("experiment", None),
        "name": run.name,
        "status": run.status,
        "start": milliseconds(run.started_at),
        "end": run.ended_at and milliseconds(run.ended_at),
        "deleted": run.deleted_at is not None,
        "params": dict(run.parameters.values_list("key", "value")),
        "tags": tags,
        "points": sorted([k, at, step, number(value)] for k, at, step, value in points),
        "latest": {
            key: number(value)
            for key, value in run.latest_metrics.values_list("key", "value")
        },
        "inputs": [
            [one.name, one.digest, one.tags] for one in run.dataset_inputs.all()
        ],
        "files": dict(run.artifacts.values_list("path", "sha256")),
    }


def expected(item: ImportedItem, there: dict, ids: dict[str, str]) -> dict:
    """What must be here of a run: all of it, with ids of ours and its origin."""
    tags = {
        **there["tags"],
        "portal.imported_from": item.run_import.source,
        "portal.imported_id": item.source_id,
    }
    if "mlflow.parentRunId" in tags:
        tags["mlflow.parentRunId"] = ids[tags["mlflow.parentRunId"]]
    return {**there, "tags": tags, "experiment": None}


def check_all_came_over(world, filled) -> None:
    items = list(ImportedItem.objects.filter(kind="run").select_related("run"))
    ids = {item.source_id: item.run_id.hex for item in items}
    assert ids.keys() == filled.there.keys()
    for item in items:
        there = expected(item, filled.there[item.source_id], ids)
        assert here(item) == there
        assert item.is_whole
        assert item.run.recorded_by == world.data_scientist
    for segment in LogSegment.objects.all():
        assert segment.closed_at
        assert segment.digest == segment_digest(segment)
    told = AuditEvent.objects.filter(type="run.imported")
    assert told.count() == len(items)
    names = ImportedItem.objects.filter(kind="experiment", name__in=["Churn", "Old"])
    assert sorted(one.experiment.name for one in names) == ["Churn", "Old"]
    churn = next(one.experiment for one in names if one.name == "Churn")
    tags = dict(churn.tags.values_list("key", "value"))
    assert tags["mlflow.note.content"] == "Who leaves?"
    assert tags["portal.imported_id"]


def check_the_model(filled) -> None:
    """Its files, what was measured of it, who made and who used it."""
    model = LoggedModel.objects.get()
    item = ImportedItem.objects.get(kind="model")
    maker = ImportedItem.objects.get(source_id=filled.model["run"]).run
    assert item.source_id == filled.model["id"]
    assert item.is_whole
    assert not item.faults
    assert (model.name, model.model_type, model.status) == ("net", "agent", "READY")
    assert model.source_run == maker
    assert dict(model.parameters.values_list("key", "value")) == {"layers": "3"}
    tags = dict(model.tags.values_list("key", "value"))
    assert (
        tags.items() >= {"kind": "small", "portal.imported_id": item.source_id}.items()
    )
    digests = {
        name: hashlib.sha256(name.encode()).hexdigest()
        for name in ("w 1.bin", "w2.bin")
    }
    assert dict(model.files.values_list("path", "sha256")) == digests
    figures = model.metrics.order_by("step").values_list(
        "step", "value", "dataset_name"
    )
    assert (0, 0.75, "c") in list(figures)
    uses = model.uses.values_list("run__name", "use", "step")
    asked = {("use of network", "input", 0), ("network", "output", 7)}
    assert asked <= set(uses)
    assert not ImportedItem.objects.exclude(uses=[]).exists()


def test_a_folder_comes_over_whole_and_once(world, mlruns):
    told = bring(world, mlruns.source)
    before = Run.objects.count(), AuditEvent.objects.count()

    again = bring(world, mlruns.source)

    check_all_came_over(world, mlruns)
    check_the_model(mlruns)
    after = Run.objects.count(), AuditEvent.objects.count()
    assert after == (before[0], before[1] + 2)  # a pass began and ended
    assert "runs: 11" in told
    assert "Churn: 0 runs came over." in again
    run_import = RunImport.objects.get()
    assert run_import.ended_at
    assert import_counts(run_import)["models"] == 1
    faults = chain.from_iterable(
        ImportedItem.objects.exclude(kind__in=REGISTRY_KINDS)
        .order_by("pk")
        .values_list("faults", flat=True)
    )
    assert sorted(set(faults)) == [
        "It had not ended; what it logs from now on is not here.",
    ]


def test_a_server_comes_over_although_the_command_is_killed(
    committed, world, server, tmp_path
):
    command = [
        *(sys.executable, "manage.py", "import_mlflow", server.source),
        *("--project", world.project.slug, "--by", world.data_scientist.email),
    ]
    url = os.environ["DATABASE_URL"].rpartition("/")[0]
    killed = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": f"{url}/{connection.settings_dict['NAME']}",
            "STORAGE_URL": f"file://{tmp_path / 'blobs'}",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    while "): came over" not in (line := killed.stdout.readline()):
        assert line, "it ended before a run came over"
    killed.send_signal(signal.SIGKILL)
    killed.wait(timeout=20)
    killed.stdout.close()
    assert 0 < Run.objects.count() < len(server.there)
    assert RunImport.objects.get().ended_at is None

    bring(world, server.source)

    check_all_came_over(world, server)
    check_the_model(server)
    assert RunImport.objects.get().ended_at


def test_who_may_not_record_runs_brings_nothing_over(world, mlruns):
    with pytest.raises(CommandError, match=r"."):
        bring(world, mlruns.source, world.validator)
    with pytest.raises(CommandError, match="matching query"):
        bring(world, mlruns.source, world.outsider)

    assert not RunImport.objects.exists()


def test_names_that_are_taken_get_another(world, mlruns, tmp_path):
    bring(world, mlruns.source)
    copy = tmp_path / "mlruns"
    copy.symlink_to(mlruns.source)
    moved = RunImport.objects.get()
    RunImport.objects.filter(pk=moved.pk).update(source="file:///elsewhere")

    bring(world, str(copy))

    names = sorted(world.project.experiments.values_list("name", flat=True))
    assert "Churn (imported)" in names
    assert Run.objects.count() == 2 * len(mlruns.there)
