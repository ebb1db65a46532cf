"""Make sure the service account of background work exists."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts import actions


class Command(BaseCommand):
    help = "Create the worker's service account where it is missing."

    def handle(self, *args: Any, **options: Any) -> None:
        actions.create_service_account()
