"""What kinds of background work there are."""

from django.apps import apps

from apps.jobs.models import BackgroundJob


def job_models() -> list[type[BackgroundJob]]:
    """List the models whose rows a worker carries out."""
    return [model for model in apps.get_models() if issubclass(model, BackgroundJob)]
