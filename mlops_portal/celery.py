"""The Celery application: rows are the truth, a message is only a knock."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlops_portal.settings")

app = Celery("mlops_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

from kombu.transport.redis import Channel
Channel.do_restore = False
