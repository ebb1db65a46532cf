"""Everything that changes a dataset, its versions or who sees it."""

from apps.datasets.actions.access import (
    grant_dataset,
    open_dataset,
    restrict_dataset,
    revoke_dataset_grant,
)
from apps.datasets.actions.describe import (
    EDITABLE,
    create_dataset,
    edit_dataset,
)
from apps.datasets.actions.ingest import finish_ingest
from apps.datasets.actions.versions import (
    DatasetFile,
    download_version,
    upload_dataset,
    upload_version,
)

__all__ = [
    "EDITABLE",
    "DatasetFile",
    "create_dataset",
    "download_version",
    "edit_dataset",
    "finish_ingest",
    "grant_dataset",
    "open_dataset",
    "restrict_dataset",
    "revoke_dataset_grant",
    "upload_dataset",
    "upload_version",
]
