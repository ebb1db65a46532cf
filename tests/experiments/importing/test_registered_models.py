"""Registered models, written by the stock client, brought over by the command."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError
from django.db import connection
from django.urls import reverse

from apps.audit.models import AuditEvent
from apps.core.digests import canonical_digest
from apps.experiments import actions as experiments
from apps.experiments.import_reports import import_counts
from apps.experiments.models import ImportedItem, LoggedModel, Run, RunImport
from apps.mlflow_api.shapes import milliseconds
from apps.projects.actions import access
from apps.registry import actions
from apps.registry.models import ImportedEntry, ModelVersion, RegisteredModel
from tests.experiments.importing.test_import import bring

CHAMPION = (
    "It was champion and stood in Production at the source. An import puts nothing "
    "into use: ask for its approval on its page."
)

TAKEN = "it stands for version 3 here, and no import takes it away."


def item_of(source_id: str) -> ImportedItem:
    return ImportedItem.objects.get(
        source_id=source_id, kind__in=("registered_model", "model_version")
    )


def version_of(source_id: str) -> ModelVersion:
    return item_of(source_id).entry.version


def said_of(version: ModelVersion) -> dict:
    tags = dict(version.tags.values_list("key", "value"))
    said = version.imported.said
    return {
        "number": version.number,
        "run": said["run"] or None,
        "created": milliseconds(version.imported.created_at),
        "stage": said["stage"],
        "source": said["source"],
        "description": version.description,
        "tags": {k: v for k, v in tags.items() if not k.startswith("portal.")},
    }


def check_all_registered(world, filled) -> None:
    came = {model.name: model for model in RegisteredModel.objects.all()}
    assert came.keys() == {one["name"] for one in filled.registered}
    for there in filled.registered:
        model = came[there["name"]]
        tags = dict(model.tags.values_list("key", "value"))
        origin = {
            "portal.imported_from": RunImport.objects.get().source,
            "portal.imported_id": model.name,
        }
        assert tags == {**there["tags"], **origin}
        assert model.description == there["description"]
        assert model.created_by == world.data_scientist
        said = [said_of(one) for one in model.versions.order_by("number")]
        expected = sorted(there["versions"], key=lambda one: one["number"])
        assert said == ([] if model.name == "lost" else expected)
    check_what_is_in_use()
    check_files(filled)
    check_the_report()
    registered = AuditEvent.objects.filter(type="model.version_registered")
    assert registered.count() == ModelVersion.objects.count() == 5
    first = registered.get(target_id=str(version_of("churn/1").pk))
    assert first.changes["as_the_source_says"]["aliases"] == ["champion"]
    assert AuditEvent.objects.filter(type="model.registered").count() == len(came)


def check_what_is_in_use() -> None:
    """Free names and stages are as they were; what is governed only is told."""
    churn = RegisteredModel.objects.get(name="churn")
    aliases = churn.aliases.values_list("name", "version__number")
    assert dict(aliases) == {"blue": 3, "green": 3}
    stages = dict(churn.versions.values_list("number", "stage"))
    assert stages == {1: "None", 3: "Staging", 4: "Archived"}
    first = version_of("churn/1")
    assert first.imported.said["stage"] == "Production"
    assert first.imported.said["aliases"] == ["champion"]
    assert first.state == "draft"


def check_files(filled) -> None:
    """They are those of the run or the logged model, frozen and looked at."""
    first, third, fourth = (version_of(f"churn/{number}") for number in (1, 3, 4))
    tree = Run.objects.get(name="tree")
    assert (first.run, first.root, first.logged_model) == (tree, "my model", None)
    paths = [entry["path"] for entry in first.manifest]
    assert paths == ["MLmodel", "extra.pkl", "model.onnx"]
    assert first.manifest_digest == canonical_digest(first.manifest)
    assert "extra.pkl is a Python pickle" in first.quarantine
    assert first.signature["classes"] == ["no", "yes"]
    assert third.logged_model == LoggedModel.objects.get()
    assert third.run.name == "network"
    assert [entry["path"] for entry in third.manifest] == ["w 1.bin", "w2.bin"]
    assert [entry["path"] for entry in fourth.manifest] == ["MLmodel"]
    copied = version_of("a copy/1")
    assert (copied.run, copied.manifest) == (tree, first.manifest)
    assert version_of('it\'s "odd"/1').manifest == third.manifest


def check_the_report() -> None:
    counts = import_counts(RunImport.objects.get())
    expected = {
        "registered_models": 5,
        "registered_models_in_part": 0,
        "registered_models_lost": 1,
        "versions": 5,
        "versions_in_part": 1,
        "versions_lost": 1,
    }
    assert counts.items() >= expected.items()
    assert item_of("churn/1").faults == [CHAMPION]
    assert item_of("greeting").faults[0].startswith("It is a prompt")
    (lost,) = item_of("lost/1").faults
    assert "s3://bucket/elsewhere/model, in no run or logged model" in lost


def test_registered_models_of_a_folder_come_over_once(world, mlruns):
    told = bring(world, mlruns.source)
    before = AuditEvent.objects.count()

    again = bring(world, mlruns.source)

    check_all_registered(world, mlruns)
    assert AuditEvent.objects.count() == before + 2  # a pass began and ended
    assert "churn: 3 versions came over." in told
    assert "churn: 0 versions came over." in again
    assert "versions: 5" in again


def test_registered_models_of_a_server_come_over_although_it_is_killed(
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
    while "churn/1: came over" not in (line := killed.stdout.readline()):
        assert line, "it ended before a version came over"
    killed.send_signal(signal.SIGKILL)
    killed.wait(timeout=20)
    killed.stdout.close()
    assert 0 < ModelVersion.objects.count() < 5
    assert RunImport.objects.get().ended_at is None

    bring(world, server.source)

    check_all_registered(world, server)
    assert RunImport.objects.get().ended_at


@pytest.fixture
def archive(mlruns, tmp_path) -> Path:
    """A copy of the folder, elsewhere, that a test can damage."""
    folder = tmp_path / "moved" / "mlruns"
    shutil.copytree(mlruns.source, folder)
    return folder


def folder_of(archive: Path, run: str) -> Path:
    (found,) = (
        path.parent
        for path in archive.glob("*/*/meta.yaml")
        if f"run_name: {run}\n" in path.read_text()
    )
    return found


def test_a_version_waits_for_all_of_its_files(world, archive):
    model = folder_of(archive, "tree") / "artifacts" / "my model"
    (model / "elsewhere").symlink_to("/etc/hostname")
    bring(world, str(archive))
    faults = item_of("churn/1").faults
    assert not hasattr(item_of("churn/1"), "entry")
    (model / "elsewhere").unlink()

    bring(world, str(archive))

    assert faults == [
        "Not all of its files are here. Left out: elsewhere: it is a link or no file."
    ]
    assert item_of("churn/1").faults == [CHAMPION]
    assert version_of("churn/1").number == 1
    assert version_of("a copy/1").number == 1


def test_a_file_that_came_later_than_its_run_is_missed(world, archive):
    folder = archive / "models"
    (folder / "churn" / "version-1").rename(archive / "away")
    bring(world, str(archive))
    (archive / "away").rename(folder / "churn" / "version-1")
    model = folder_of(archive, "tree") / "artifacts" / "my model"
    (model / "more.txt").write_text("later")

    bring(world, str(archive))

    (fault,) = item_of("churn/1").faults
    assert fault.startswith("1 of its 4 files did not come over, such as my model/more")


def test_versions_of_a_run_that_is_not_there_are_told(world, archive):
    shutil.rmtree(folder_of(archive, "tree"))

    bring(world, str(archive))

    (fault,) = item_of("churn/1").faults
    assert "in no run or logged model that is here" in fault
    assert fault.endswith("did not come over.")
    assert item_of("a copy/1").faults == ["What it is a copy of is not here."]
    assert version_of("churn/3").number == 3


def test_versions_of_a_run_that_is_put_aside_are_told(world, archive):
    meta = folder_of(archive, "tree") / "meta.yaml"
    before = meta.read_text()
    meta.write_text(
        before.replace("lifecycle_stage: active", "lifecycle_stage: deleted")
    )
    assert meta.read_text() != before

    bring(world, str(archive))

    (fault,) = item_of("churn/1").faults
    assert "is deleted, so nothing of it can be registered" in fault
    assert version_of("churn/3").number == 3


def test_a_run_that_did_not_save_a_model_is_not_taken_for_its_own(world, archive):
    (meta,) = archive.glob("*/models/m-*/meta.yaml")
    before = meta.read_text()
    meta.write_text(re.sub("source_run_id: .*", "source_run_id: null", before))
    assert meta.read_text() != before

    bring(world, str(archive))

    version = version_of("churn/3")
    assert (version.run, version.logged_model) == (None, LoggedModel.objects.get())
    assert version.imported.said["run"]
    told = "The run that it names did not save its files."
    assert told in item_of("churn/3").faults


def test_names_that_no_model_can_have_here_are_told(world, archive):
    (archive / "models" / "churn").rename(archive / "models" / "x:y")

    bring(world, str(archive))

    (fault,) = item_of("x:y").faults
    assert "cannot be the name of a model" in fault
    assert item_of("x:y/1").faults == ["Its model is not here."]
    assert version_of('it\'s "odd"/1').number == 1


def test_unreadable_and_unready_registrations_are_told(world, archive):
    models = archive / "models"
    (models / "empty" / "meta.yaml").write_text("[")
    (models / "churn" / "version-3" / "meta.yaml").write_text("- no mapping")
    meta = models / "churn" / "version-4" / "meta.yaml"
    text = meta.read_text().replace("Archived", "Retired")
    meta.write_text(text)
    (models / "churn" / "aliases" / "odd").write_text("none")
    (models / "churn" / "aliases" / "Champion").write_text("4")
    odd = models / 'it\'s "odd"' / "version-1" / "meta.yaml"
    odd.write_text(odd.read_text().replace("READY", "PENDING_REGISTRATION"))

    bring(world, str(archive))

    assert item_of("empty").faults[0].startswith("models/empty/meta.yaml")
    assert not hasattr(item_of("churn/3"), "entry")
    assert item_of("churn").faults == ["Left out: the alias odd: it names no version."]
    stage, alias = item_of("churn/4").faults
    assert stage.startswith("Left out: the stage 'Retired'")
    assert "would be taken for the governed alias" in alias
    (fault,) = item_of('it\'s "odd"/1').faults
    assert fault == "It never became ready at the source: PENDING_REGISTRATION."


def test_a_name_that_is_taken_gets_another(world, mlruns):
    own = actions.create_model(
        project=world.project, name="churn", by=world.data_scientist
    )

    bring(world, mlruns.source)

    assert not own.versions.exists()
    assert version_of("churn/1").model.name == "churn (imported)"
    assert item_of("churn").faults == [
        "A model here has its name; it is churn (imported) here."
    ]


def test_a_later_pass_takes_no_names_and_no_numbers_away(world, archive):
    versions = archive / "models" / "churn"
    (versions / "version-3").rename(archive / "away")
    bring(world, str(archive))
    churn = version_of("churn/1").model
    ours = actions.create_version(
        model=churn,
        origin=actions.Origin(copied=version_of("churn/1")),
        words=actions.VersionWords(number=3),
        by=world.data_scientist,
    )
    actions.set_alias(
        version=ours,
        name="blue",
        approval=actions.importing.NOT_APPROVED,
        by=world.data_scientist,
    )
    (archive / "away").rename(versions / "version-3")

    bring(world, str(archive))

    late = version_of("churn/3")
    assert late.number == 5
    aliases = dict(churn.aliases.values_list("name", "version__number"))
    assert aliases == {"blue": 3, "green": 5}
    assert item_of("churn/3").faults == [
        "Its number there is 3, which was taken here.",
        f"Left out: the alias blue: {TAKEN}",
    ]


def test_what_was_put_aside_here_stays_aside(world, archive):
    versions = archive / "models" / "churn"
    (versions / "version-3").rename(archive / "away")
    bring(world, str(archive))
    actions.delete_version(version=version_of("a copy/1"), by=world.data_scientist)
    actions.delete_model(model=version_of("churn/1").model, by=world.data_scientist)
    (archive / "away").rename(versions / "version-3")

    bring(world, str(archive))

    assert version_of("a copy/1").deleted_at
    assert RegisteredModel.objects.filter(name="churn").count() == 1
    assert item_of("churn/3").faults == ["Its model was put aside here."]


def test_pages_and_json_tell_of_registered_models(world, mlruns, client_of):
    bring(world, mlruns.source)
    client = client_of(world.data_scientist)
    found = RunImport.objects.get()
    first = version_of("churn/1")

    page = client.get(found.get_absolute_url()).content.decode()
    version = client.get(first.get_absolute_url()).content.decode()
    download = client.get(reverse("experiments:download_import", args=[found.pk]))
    told = b"".join(download.streaming_content).decode()

    event = AuditEvent.objects.get(type="import.downloaded")
    assert (event.target_id, event.actor_id) == (str(found.pk), world.data_scientist.pk)
    assert CHAMPION in page
    assert f'href="{first.get_absolute_url()}"' in page
    assert "Versions that are not here" in page
    assert "As the source says" in version
    assert "It was champion and stood in Production at the source." in version
    assert f'"model_version_id": "{first.pk}"' in told
    assert '"stage": "Production"' in told
    assert first.created_at >= found.started_at


def test_the_report_hides_models_that_were_restricted(world, mlruns, client_of):
    bring(world, mlruns.source)
    churn = version_of("churn/1").model
    access.restrict(thing=churn, by=world.program_manager)
    found = RunImport.objects.get()

    def told_to(person) -> tuple[str, set[str]]:
        client = client_of(person)
        page = client.get(found.get_absolute_url()).content.decode()
        download = client.get(reverse("experiments:download_import", args=[found.pk]))
        told = json.loads(b"".join(download.streaming_content))
        return page, {one["source_id"] for one in told["items"]}

    page, ids = told_to(world.developer)
    assert "churn" not in page
    assert not {"churn", "churn/1"} & ids
    assert "a copy/1" in ids
    page, ids = told_to(world.program_manager)
    assert "churn/1" in page
    assert {"churn", "churn/1"} <= ids


def test_who_may_not_register_models_brings_none_over(world, mlruns):
    started = experiments.start_import(
        project=world.project, source="elsewhere", by=world.data_scientist
    )
    with pytest.raises(CommandError):
        bring(world, mlruns.source, world.validator)

    assert started.items.count() == 0
    assert not ImportedEntry.objects.exists()
