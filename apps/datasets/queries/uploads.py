"""What pages show of files on their way in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from apps.datasets.models import Dataset, Upload

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.projects.models import Project


def unfinished_uploads(
    user: User, project: Project, dataset: Dataset | None
) -> list[Upload]:
    """List what `user` can go on with: for a dataset, or for named ones of a project.

    One person has only so many (`UPLOADS_OPEN_LIMIT`), newest first.
    """
    mine = Upload.objects.visible_to(user).open()
    here = mine.filter(project=project, dataset=dataset)
    ordered = here.select_related("project", "dataset").order_by("-pk")
    return list(ordered[: settings.UPLOADS_OPEN_LIMIT])
