"""Work asked for by name, sent only after the change is committed.

The row is the truth and the message only a knock: a message that is lost is repeated
by the sweeper, one that comes twice finds the row already claimed.
"""

import logging
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from celery import Task, current_app, shared_task
from django.db import transaction
from django.utils.module_loading import autodiscover_modules
from kombu.exceptions import OperationalError

from apps.core.context import WorkContext, current, working
from apps.core.ids import new_id

logger = logging.getLogger(__name__)


class PortalTask(Task):  # type: ignore[misc]  # Celery ships no types
    """Bind the request that asked for the work to the logs and events of the task."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        request_id = kwargs.pop("request_id", None) or new_id().hex
        context = WorkContext(request_id=request_id, channel="worker", route=self.name)
        with working(context):
            return super().__call__(*args, **kwargs)


def task(name: str, *, queue: str = "default") -> Callable[[Callable[..., Any]], Any]:
    """Declare a task: keyword arguments only, ids not objects, on a named queue."""
    declare: Callable[[Callable[..., Any]], Any] = shared_task(
        name=name, base=PortalTask, queue_name=queue
    )
    return declare


def queue_of(name: str) -> str:
    """Return the queue of the task `name`.

    Raises:
        celery.exceptions.NotRegistered: no task has this name.
    """
    return str(_tasks()[name].queue_name)


def queue_names() -> list[str]:
    """List the queues that tasks of the portal wait in."""
    found = {getattr(one, "queue_name", None) for one in _tasks().values()}
    return sorted(filter(None, found))


def enqueue(name: str, **kwargs: str) -> None:
    """Send the task `name` once the present transaction is committed.

    A broker that cannot be reached loses nothing: the row stays queued and the sweeper
    sends it again.

    Raises:
        celery.exceptions.NotRegistered: no task has this name.
    """
    found = _tasks()[name]
    request_id = current().request_id
    transaction.on_commit(partial(_send, found, {**kwargs, "request_id": request_id}))


@cache
def _tasks() -> Mapping[str, Task]:
    """Know the tasks of all apps by name, in every process that asks for work.

    They are loaded when it first does: what they need is a quarter of the memory of a
    process that never asks, such as the sealer.
    """
    autodiscover_modules("tasks")
    found: Mapping[str, Task] = current_app.tasks
    return found


def _send(found: Task, kwargs: dict[str, str]) -> None:
    try:
        found.apply_async(kwargs=kwargs, queue=found.queue_name, retry=False)
    except OperationalError:
        logger.warning("broker unreachable, the sweeper will send %s", found.name)
