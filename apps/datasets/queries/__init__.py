"""What pages and the API show of datasets, and what a worker needs to read one."""

from apps.datasets.queries.columns import ColumnCard, column_cards
from apps.datasets.queries.datasheets import (
    DatasheetStanding,
    datasheet_sections,
    datasheet_standing,
    datasheet_standings,
    hints_of,
    newest_datasheet,
    possible_stewards,
    versions_with_undecided_hints,
)
from apps.datasets.queries.versions import (
    HEAVY_FIELDS,
    content_named,
    failure_places,
    key_figures,
    latest_versions,
    prepare_ingest,
)

__all__ = [
    "HEAVY_FIELDS",
    "ColumnCard",
    "DatasheetStanding",
    "column_cards",
    "content_named",
    "datasheet_sections",
    "datasheet_standing",
    "datasheet_standings",
    "failure_places",
    "hints_of",
    "key_figures",
    "latest_versions",
    "newest_datasheet",
    "possible_stewards",
    "prepare_ingest",
    "versions_with_undecided_hints",
]
