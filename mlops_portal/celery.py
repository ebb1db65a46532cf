"""The Celery application: rows are the truth, a message is only a knock."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready
from django.db import connections
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlops_portal.settings")

app = Celery("mlops_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.broker_transport = "mlops_portal.broker:SteadyRedis"
app.autodiscover_tasks()


def tell_what_is_not_protected(**_: Any) -> None:
    import_string("apps.audit.protection.tell")()
    connections.close_all()  # this process runs no tasks


worker_ready.connect(tell_what_is_not_protected)
