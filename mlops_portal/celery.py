"""The Celery application: rows are the truth, a message is only a knock."""

import os
from typing import Any

from celery import Celery
from celery.signals import (
    celeryd_init,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlops_portal.settings")

app = Celery("mlops_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.broker_transport = "mlops_portal.broker:SteadyRedis"
app.autodiscover_tasks()


def choose_queues(**_: Any) -> None:
    app.amqp.queues.select(settings.WORKER_QUEUES)  # --queues still overrides this


def show_up(sender: Any, **_: Any) -> None:
    controller = sender.controller
    queues = sorted(app.amqp.queues.consume_from)
    presence = import_string("apps.jobs.presence.Presence")
    controller.presence = presence(sender.hostname, queues, controller.concurrency)
    controller.presence.start()


def begin_to_stop(**_: Any) -> None:
    import_string("apps.jobs.presence.begin_to_stop")()


def leave(sender: Any, **_: Any) -> None:
    if presence := getattr(sender, "presence", None):
        presence.leave()


def tell_what_is_not_protected(**_: Any) -> None:
    import_string("apps.audit.protection.tell")()
    connections.close_all()  # this process runs no tasks


celeryd_init.connect(choose_queues)
worker_ready.connect(tell_what_is_not_protected)
worker_ready.connect(show_up)
worker_shutting_down.connect(begin_to_stop)
worker_shutdown.connect(leave)
