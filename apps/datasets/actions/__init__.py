"""Everything that changes a dataset or its versions."""

from apps.datasets.actions.describe import (
    EDITABLE,
    create_dataset,
    edit_dataset,
)
from apps.datasets.actions.imports import (
    SourcePlace,
    import_dataset,
    import_version,
    keep_original,
)
from apps.datasets.actions.ingest import finish_ingest
from apps.datasets.actions.uploads import (
    UploadWish,
    WrongOffset,
    append_chunk,
    cancel_upload,
    complete_upload,
    expire_upload,
    start_upload,
)
from apps.datasets.actions.versions import (
    DatasetFile,
    download_errors,
    download_version,
    upload_dataset,
    upload_version,
)

__all__ = [
    "EDITABLE",
    "DatasetFile",
    "SourcePlace",
    "UploadWish",
    "WrongOffset",
    "append_chunk",
    "cancel_upload",
    "complete_upload",
    "create_dataset",
    "download_errors",
    "download_version",
    "edit_dataset",
    "expire_upload",
    "finish_ingest",
    "import_dataset",
    "import_version",
    "keep_original",
    "start_upload",
    "upload_dataset",
    "upload_version",
]
