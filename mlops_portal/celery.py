"""The Celery application: rows are the truth, a message is only a knock."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlops_portal.settings")

app = Celery("mlops_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.broker_transport = "mlops_portal.broker:SteadyRedis"
app.autodiscover_tasks()
