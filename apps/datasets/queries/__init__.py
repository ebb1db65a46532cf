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
from apps.datasets.queries.sealed import (
    budget_of,
    is_open_file,
    looks_allowed,
    opens_sealed_rows,
    prepare_sealed_part,
    sealed_part_of,
    sealed_parts_of,
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
    "budget_of",
    "column_cards",
    "content_named",
    "datasheet_sections",
    "datasheet_standing",
    "datasheet_standings",
    "failure_places",
    "hints_of",
    "is_open_file",
    "key_figures",
    "latest_versions",
    "looks_allowed",
    "newest_datasheet",
    "opens_sealed_rows",
    "possible_stewards",
    "prepare_ingest",
    "prepare_sealed_part",
    "sealed_part_of",
    "sealed_parts_of",
    "versions_with_undecided_hints",
]
