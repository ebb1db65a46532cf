"""Wiring only: settings, addresses, Celery and WSGI. Nobody imports it."""

from mlops_portal.celery import app as celery_app

__all__ = ["celery_app"]
