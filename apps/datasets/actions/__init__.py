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
from apps.datasets.actions.ingest import finish_ingest
from apps.datasets.actions.sealed import (
    finish_sealed_part,
    set_sealed_budget,
    upload_sealed_part,
)
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
    "download_diff",
    "download_version",
    "edit_dataset",
    "finish_diff",
    "finish_ingest",
    "finish_sealed_part",
    "keep_fingerprint",
    "request_diff",
    "save_contract",
    "set_sealed_budget",
    "upload_dataset",
    "upload_sealed_part",
    "upload_version",
    "write_datasheet",
]
