"""What pages and the API show of datasets, and what a worker needs to read one."""

from apps.datasets.queries.columns import ColumnCard, column_cards
from apps.datasets.queries.errors import (
    ErrorList,
    error_list,
    error_list_format,
    failure_places,
)
from apps.datasets.queries.uploads import unfinished_uploads
from apps.datasets.queries.versions import (
    HEAVY_FIELDS,
    content_named,
    key_figures,
    latest_versions,
    prepare_ingest,
    rows_so_far,
)

__all__ = [
    "HEAVY_FIELDS",
    "ColumnCard",
    "ErrorList",
    "column_cards",
    "content_named",
    "error_list",
    "error_list_format",
    "failure_places",
    "key_figures",
    "latest_versions",
    "prepare_ingest",
    "rows_so_far",
    "unfinished_uploads",
]
