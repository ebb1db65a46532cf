"""Everything that changes a dataset or its versions."""

from apps.datasets.actions.contracts import save_contract
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
from apps.datasets.actions.diffs import download_diff, finish_diff, request_diff
from apps.datasets.actions.fingerprints import keep_fingerprint
from apps.datasets.actions.imports import (
    SourcePlace,
    import_dataset,
    import_version,
    keep_original,
)
from apps.datasets.actions.ingest import finish_ingest
from apps.datasets.actions.sealed import (
    finish_sealed_part,
    set_sealed_budget,
    upload_sealed_part,
)
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
    "LONGEST_ANSWER",
    "DatasetFile",
    "DatasheetValues",
    "SourcePlace",
    "UploadWish",
    "WrongOffset",
    "append_chunk",
    "cancel_upload",
    "complete_upload",
    "create_dataset",
    "decide_hint",
    "download_diff",
    "download_errors",
    "download_version",
    "edit_dataset",
    "expire_upload",
    "finish_diff",
    "finish_ingest",
    "finish_sealed_part",
    "import_dataset",
    "import_version",
    "keep_fingerprint",
    "keep_original",
    "request_diff",
    "save_contract",
    "set_sealed_budget",
    "start_upload",
    "upload_dataset",
    "upload_sealed_part",
    "upload_version",
    "write_datasheet",
]
