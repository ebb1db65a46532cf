"""Runs that are logged while they happen: started, ended, put aside, brought back."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import difference, personal, record
from apps.experiments import rules
from apps.experiments.actions.checks import (
    LONGEST_KEY,
    LONGEST_TAG,
    check_key,
    check_text,
    invalid,
    shortened,
)
from apps.experiments.actions.segments import close_segment, lock_run
from apps.experiments.actions.tags import delete_tag, write_tags
from apps.experiments.models import ENDED, Run, RunSource, RunStatus, RunTag

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from apps.accounts.models import User
    from apps.audit.personal import Personal
    from apps.experiments.models import Experiment

NAME_TAG = "mlflow.runName"  # says the same as the name, either way
HISTORY_TAG = "mlflow.log-model.history"
USER_TAG = "mlflow.user"  # the name of an account on the client's machine
_FIRST = ("amber", "brisk", "calm", "eager", "gentle", "keen", "merry", "proud")
_SECOND = ("crane", "finch", "heron", "ibis", "kite", "lynx", "otter", "seal")


@dataclass(frozen=True)
class RunStart:
    """How a run begins.

    Args:
        name: as people call it; one is made up when it is empty.
        claimed_user: whom the client names.
        started_at: by the client's clock; now when it does not say.
        tags: words about it.
    """

    name: str = ""
    claimed_user: str = ""
    started_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunChange:
    """What is to be different about a run; None leaves as it is."""

    name: str | None = None
    status: RunStatus | None = None
    ended_at: datetime | None = None


@transaction.atomic
def start_run(*, experiment: Experiment, start: RunStart, by: User) -> Run:
    """Begin a run whose content comes while it happens.

    Raises:
        Invalid: the name or a tag cannot be kept, or there are two names.
        Refused: only who may record runs.
        WrongState: the experiment is deleted.
    """
    ensure(rules.can_start_run(by, experiment))
    name = _name_of(start)
    tags = {**start.tags, NAME_TAG: name}
    check_text("run_name", name, LONGEST_KEY)
    check_text("user_id", start.claimed_user, LONGEST_KEY, may_be_empty=True)
    check_tags(tags)
    now = timezone.now()
    run = Run.objects.create(
        experiment=experiment,
        name=name,
        source=RunSource.MLFLOW,
        status=RunStatus.RUNNING,
        started_at=start.started_at or now,
        claimed_user=start.claimed_user,
        recorded_by=by,
        recorded_at=now,
    )
    RunTag.objects.bulk_create(
        RunTag(run=run, key=key, value=value) for key, value in tags.items()
    )
    record(
        EventType.RUN_STARTED,
        target=run,
        project=run.project,
        by=by,
        changes={"tags": {key: _shown(key, value, by) for key, value in tags.items()}},
    )
    return run


@transaction.atomic
def update_run(*, run: Run, change: RunChange, by: User) -> Run:
    """Rename a run, or say how far it is; what was logged until it ended is sealed.

    Raises:
        Invalid: the name cannot be kept.
        Refused: only who may record runs; or the run was recorded whole.
        WrongState: it is deleted.
    """
    run = lock_run(run)
    if run.ended_at and _says_nothing_new(run, change):  # a client that asked again
        ensure(rules.can_repeat_update(by, run))
        return run
    ensure(rules.can_update_run(by, run))
    before = _told(run)
    if change.name:
        check_text("run_name", change.name, LONGEST_KEY)
        run.name = change.name
        write_tags(run.tags, {NAME_TAG: change.name})
    if change.status is not None:
        run.status = change.status
    if run.status in ENDED:
        run.ended_at = change.ended_at or run.ended_at or timezone.now()
    else:
        run.ended_at = change.ended_at
    run.save()
    if changes := difference(before, _told(run)):
        kind = EventType.RUN_ENDED if run.status in ENDED else EventType.RUN_UPDATED
        record(kind, target=run, project=run.project, by=by, changes=changes)
    if run.status in ENDED:
        close_segment(run, by)
    return run


def _says_nothing_new(run: Run, change: RunChange) -> bool:
    return (
        change.name in (None, run.name)
        and change.status in (None, run.status)
        and change.ended_at in (None, run.ended_at)
    )


@transaction.atomic
def delete_run(*, run: Run, by: User) -> Run:
    """Put a run aside; nothing of it is lost.

    Raises:
        Refused: only who may record runs; or a model or the run itself is protected.
    """
    run = lock_run(run)
    ensure(rules.can_delete_run(by, run))
    if run.deleted_at:
        return run
    close_segment(run, by)
    run.deleted_at = timezone.now()
    run.save()
    record(EventType.RUN_DELETED, target=run, project=run.project, by=by)
    return run


@transaction.atomic
def restore_run(*, run: Run, by: User) -> Run:
    """Bring a run back that was put aside.

    Raises:
        Refused: only who may record runs.
        WrongState: its experiment is put aside.
    """
    run = lock_run(run)
    ensure(rules.can_restore_run(by, run))
    if run.deleted_at is None:
        return run
    run.deleted_at = None
    run.save()
    record(EventType.RUN_RESTORED, target=run, project=run.project, by=by)
    return run


@transaction.atomic
def set_run_tags(*, run: Run, tags: Mapping[str, str], by: User) -> Run:
    """Say words about a run, or others in place of them.

    Raises:
        Invalid: a key or value cannot be kept.
        Refused: only who may record runs; or the run was recorded whole.
        WrongState: it is deleted.
    """
    run = lock_run(run)
    ensure(rules.can_set_run_tags(by, run))
    keep_tags(run, tags, by)
    return run


@transaction.atomic
def delete_run_tag(*, tag: RunTag, by: User) -> Run:
    """Take a word about a run back.

    Raises:
        Refused: only who may record runs; or the run was recorded whole.
        WrongState: it is deleted.
    """
    run = lock_run(tag.run)
    ensure(rules.can_delete_run_tag(by, run))
    if changes := delete_tag(tag):
        record(
            EventType.RUN_TAG_DELETED,
            target=run,
            project=run.project,
            by=by,
            changes=changes,
        )
    return run


@transaction.atomic
def add_to_model_history(*, run: Run, model: Mapping[str, Any], by: User) -> Run:
    """Add what a client says of a model to the tag in which it is kept.

    Raises:
        Invalid: the tag would be too long.
        Refused: only who may record runs; or the run was recorded whole.
        WrongState: it is deleted.
    """
    run = lock_run(run)
    ensure(rules.can_add_to_model_history(by, run))
    known = run.tags.filter(key=HISTORY_TAG).first()
    models = _list_in(known.value if known else "")
    if model not in models:  # clients repeat what was not answered
        keep_tags(run, {HISTORY_TAG: json.dumps([*models, model])}, by)
    return run


def _list_in(text: str) -> list[Any]:
    """Read a list that anybody may have written over."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def check_tags(tags: Mapping[str, str]) -> None:
    """Take tags that can be kept.

    Raises:
        Invalid: a key or value cannot.
    """
    for key, value in tags.items():
        check_key("tags", key)
        check_text("tags", value, LONGEST_TAG, may_be_empty=True)


def keep_tags(run: Run, tags: Mapping[str, str], by: User) -> None:
    """Write tags of a locked run, and record which changed."""
    check_tags(tags)
    if name := tags.get(NAME_TAG):
        check_text("run_name", name, LONGEST_KEY)
        run.name = name
        run.save()
    if changes := write_tags(run.tags, tags):
        record(
            EventType.RUN_TAGS_SET,
            target=run,
            project=run.project,
            by=by,
            changes=changes,
        )


def _shown(key: str, value: str, by: User) -> str | Personal | None:
    return personal(by, value) if key == USER_TAG else shortened(value)


def _told(run: Run) -> dict[str, Any]:
    ended = run.ended_at.isoformat() if run.ended_at else None
    return {"name": run.name, "status": run.status, "ended_at": ended}


def _name_of(start: RunStart) -> str:
    tagged = start.tags.get(NAME_TAG)
    if start.name and tagged and start.name != tagged:
        raise invalid(
            "run_name",
            f"Both 'run_name' argument and '{NAME_TAG}' tag are specified, but with "
            f"different values (run_name='{start.name[:80]}', "
            f"{NAME_TAG}='{tagged[:80]}'). Give one of them.",
        )
    return start.name or tagged or made_up_name()


def made_up_name() -> str:
    """Give a name to what nobody named."""
    words = f"{secrets.choice(_FIRST)}-{secrets.choice(_SECOND)}"
    return f"{words}-{secrets.randbelow(1000)}"
