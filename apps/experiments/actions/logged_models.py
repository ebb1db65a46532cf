"""Models that scripts log: announced, filled with files, ready; tagged, put aside."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.experiments import rules
from apps.experiments.actions.artifacts import check_path, keep_file
from apps.experiments.actions.checks import (
    LONGEST_MODEL_NAME,
    LONGEST_VALUE,
    check_key,
    check_text,
    invalid,
    shortened,
)
from apps.experiments.actions.runs import check_tags, made_up_name
from apps.experiments.actions.segments import lock_run
from apps.experiments.actions.tags import delete_tag, write_tags
from apps.experiments.models import (
    LoggedModel,
    LoggedModelFile,
    LoggedModelParameter,
    LoggedModelStatus,
    LoggedModelTag,
    ModelUse,
    Run,
    RunModel,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from apps.accounts.models import User
    from apps.experiments.actions.recording import ArtifactFile
    from apps.experiments.models import Experiment

_NOT_IN_NAMES = re.compile(r"""[/:.%"']""")


@dataclass(frozen=True)
class LoggedModelStart:
    """What is known of a model before its files come.

    Args:
        name: as people call it; one is made up when it is empty.
        model_type: in the client's words.
        source_run: that saves it; of the same experiment's project.
        parameters: that it was made with.
        tags: words about it.
    """

    name: str = ""
    model_type: str = ""
    source_run: Run | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def create_logged_model(
    *, experiment: Experiment, start: LoggedModelStart, by: User
) -> LoggedModel:
    """Announce a model whose files come next.

    Raises:
        Invalid: a name, parameter or tag cannot be kept, or the run is of another
            project.
        Refused: only who may record runs; or the run was recorded whole.
        WrongState: the experiment or the run is deleted.
    """
    run = start.source_run
    ensure(rules.can_create_logged_model(by, experiment, run))
    if run and run.project != experiment.project:
        raise invalid("source_run_id", "The run belongs to another project.")
    name = start.name or made_up_name()
    _check_name(name)
    check_text("model_type", start.model_type, LONGEST_MODEL_NAME, may_be_empty=True)
    check_tags(start.tags)
    _check_parameters(start.parameters)
    model = LoggedModel.objects.create(
        experiment=experiment,
        name=name,
        model_type=start.model_type,
        source_run=run,
        recorded_by=by,
    )
    LoggedModelTag.objects.bulk_create(
        LoggedModelTag(model=model, key=key, value=value)
        for key, value in start.tags.items()
    )
    LoggedModelParameter.objects.bulk_create(
        LoggedModelParameter(model=model, key=key, value=value)
        for key, value in start.parameters.items()
    )
    changes = {
        "name": name,
        "source_run": run.pk.hex if run else None,
        "tags": _shown(start.tags),
        "parameters": _shown(start.parameters),
    }
    _record(EventType.LOGGED_MODEL_CREATED, model, by, changes)
    return model


@transaction.atomic
def finish_logged_model(
    *, model: LoggedModel, status: LoggedModelStatus, by: User
) -> LoggedModel:
    """Say whether all files of a model came.

    Raises:
        Refused: only who may record runs.
        WrongState: it is deleted.
    """
    model = _lock(model)
    ensure(rules.can_finish_logged_model(by, model))
    before, model.status = model.status, status
    if before != status:
        _touch(model)
        changes = {
            "status": [before, status.value],
            "files": dict(model.files.order_by("path").values_list("path", "sha256")),
        }
        _record(EventType.LOGGED_MODEL_FINISHED, model, by, changes)
    return model


@transaction.atomic
def add_logged_model_parameters(
    *, model: LoggedModel, parameters: Mapping[str, str], by: User
) -> LoggedModel:
    """Add parameters to a model; those that it has never change.

    Raises:
        Invalid: one cannot be kept, or has another value already.
        Refused: only who may record runs.
        WrongState: the model is deleted.
    """
    _check_parameters(parameters)
    model = _lock(model)
    ensure(rules.can_add_logged_model_parameters(by, model))
    known = dict(model.parameters.values_list("key", "value"))
    for key, value in parameters.items():
        if known.get(key, value) != value:
            raise invalid(
                "params",
                f"Parameter {key} of this model is {shortened(known[key])!r} and never "
                "changes; nothing of this call was kept.",
            )
    new = {key: value for key, value in parameters.items() if key not in known}
    LoggedModelParameter.objects.bulk_create(
        LoggedModelParameter(model=model, key=key, value=value)
        for key, value in new.items()
    )
    if new:
        _touch(model)
        changes = {"parameters": _shown(new)}
        _record(EventType.LOGGED_MODEL_PARAMETERS_ADDED, model, by, changes)
    return model


@transaction.atomic
def set_logged_model_tags(
    *, model: LoggedModel, tags: Mapping[str, str], by: User
) -> LoggedModel:
    """Say words about a model, or others in place of them.

    Raises:
        Invalid: a key or value cannot be kept.
        Refused: only who may record runs.
        WrongState: the model is deleted.
    """
    check_tags(tags)
    model = _lock(model)
    ensure(rules.can_set_logged_model_tags(by, model))
    if changes := write_tags(model.tags, tags):
        _touch(model)
        _record(EventType.LOGGED_MODEL_TAGS_SET, model, by, changes)
    return model


@transaction.atomic
def delete_logged_model_tag(*, tag: LoggedModelTag, by: User) -> LoggedModel:
    """Take a word about a model back.

    Raises:
        Refused: only who may record runs.
        WrongState: the model is deleted.
    """
    model = _lock(tag.model)
    ensure(rules.can_delete_logged_model_tag(by, model))
    if changes := delete_tag(tag):
        _touch(model)
        _record(EventType.LOGGED_MODEL_TAG_DELETED, model, by, changes)
    return model


@transaction.atomic
def delete_logged_model(*, model: LoggedModel, by: User) -> LoggedModel:
    """Put a model aside; nothing of it is lost.

    Raises:
        Refused: only who may record runs; or the model is evidence of a version.
        WrongState: it is deleted already.
    """
    model = _lock(model)
    ensure(rules.can_delete_logged_model(by, model))
    model.deleted_at = timezone.now()
    _touch(model)
    _record(EventType.LOGGED_MODEL_DELETED, model, by)
    return model


@transaction.atomic
def log_model_file(
    *, model: LoggedModel, file: ArtifactFile, by: User
) -> LoggedModelFile:
    """Keep a stored file under its path in a model, in place of what was there.

    Raises:
        Invalid: no file can have this path.
        PathTaken: a folder has it, or a file is where its folder would be.
        Refused: only who may record runs; or the model is evidence of a version.
        WrongState: the model is deleted.
    """
    check_path(file.path)
    model = _lock(model)
    ensure(rules.can_log_model_file(by, model))
    kept, before = keep_file(model.files, file)
    if kept.sha256 != before:
        changes = {file.path: [before, kept.sha256]}
        _record(EventType.LOGGED_MODEL_FILE_LOGGED, model, by, changes)
    return kept


@transaction.atomic
def delete_model_file(*, file: LoggedModelFile, by: User) -> LoggedModel:
    """Take a file out of a model.

    Raises:
        Refused: only who may record runs; or the model is evidence of a version.
        WrongState: the model is deleted.
    """
    model = _lock(file.model)
    ensure(rules.can_delete_model_file(by, model))
    deleted, _ = LoggedModelFile.objects.filter(pk=file.pk).delete()
    if deleted:
        changes = {file.path: [file.sha256, None]}
        _record(EventType.LOGGED_MODEL_FILE_DELETED, model, by, changes)
    return model


@transaction.atomic
def download_logged_model_file(*, file: LoggedModelFile, by: User) -> LoggedModelFile:
    """Hand out a file of a logged model, and keep who took it.

    Raises:
        Refused: only who may download models, or data where it holds data.
    """
    ensure(rules.can_download_logged_model_file(by, file))
    changes = {"path": file.path, "sha256": file.sha256}
    _record(EventType.LOGGED_MODEL_FILE_DOWNLOADED, file.model, by, changes)
    return file


@transaction.atomic
def preview_logged_model_file(*, file: LoggedModelFile, by: User) -> LoggedModelFile:
    """Show what is in a file of a logged model, and keep who saw it.

    Raises:
        Refused: only who may download it.
    """
    ensure(rules.can_preview_logged_model_file(by, file))
    changes = {"path": file.path, "sha256": file.sha256}
    _record(EventType.LOGGED_MODEL_FILE_PREVIEWED, file.model, by, changes)
    return file


@transaction.atomic
def log_run_models(
    *, run: Run, use: ModelUse, steps: Mapping[LoggedModel, int], by: User
) -> Run:
    """Say which logged models a run used or made, each once.

    Args:
        run: that used or made them.
        use: which of the two.
        steps: of the training, by model; 0 where it has none.
        by: somebody who may record runs.

    Raises:
        Invalid: a model belongs to another project.
        Refused: only who may record runs; or the run was recorded whole.
        WrongState: the run is deleted.
    """
    run = lock_run(run)
    ensure(rules.can_log_run_models(by, run))
    if any(model.project != run.project for model in steps):
        raise invalid("models", "A model belongs to another project than the run.")
    known = set(run.model_uses.filter(use=use).values_list("model_id", flat=True))
    new = {model: step for model, step in steps.items() if model.pk not in known}
    RunModel.objects.bulk_create(
        RunModel(run=run, model=model, use=use, step=step)
        for model, step in new.items()
    )
    if new:
        record(
            EventType.RUN_MODELS_LOGGED,
            target=run,
            project=run.project,
            by=by,
            changes={use.value: [[one.public_id, step] for one, step in new.items()]},
        )
    return run


def _lock(model: LoggedModel) -> LoggedModel:
    rows = LoggedModel.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("experiment__project").get(pk=model.pk)


def _touch(model: LoggedModel) -> None:
    model.updated_at = timezone.now()
    model.save()


def _record(
    kind: EventType,
    model: LoggedModel,
    by: User,
    changes: dict[str, Any] | None = None,
) -> None:
    record(kind, target=model, project=model.project, by=by, changes=changes)


def _check_name(name: str) -> None:
    check_text("name", name, LONGEST_MODEL_NAME)
    if found := _NOT_IN_NAMES.search(name):
        raise invalid(
            "name",
            f"Invalid model name ({name[:40]!r}): it holds {found[0]!r}; the signs "
            "/ : . % \" ' are not possible.",
        )


def _check_parameters(parameters: Mapping[str, str]) -> None:
    for key, value in parameters.items():
        check_key("params", key)
        check_text("params", value, LONGEST_VALUE, may_be_empty=True)


def _shown(pairs: Mapping[str, str]) -> dict[str, str | None]:
    return {key: shortened(value) for key, value in pairs.items()}
