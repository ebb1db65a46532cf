"""Everything that changes a dataset or its versions."""

from apps.datasets.actions.datasheets import (
    LONGEST_ANSWER,
    DatasheetValues,
    decide_hint,
    write_datasheet,
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
    "LONGEST_ANSWER",
    "DatasetFile",
    "DatasheetValues",
    "create_dataset",
    "decide_hint",
    "download_version",
    "edit_dataset",
    "finish_ingest",
    "upload_dataset",
    "upload_version",
    "write_datasheet",
]
