"""What pages and the API show of datasets, and what a worker needs to read one."""

from apps.datasets.queries.checks import check_result, check_summary
from apps.datasets.queries.columns import ColumnCard, column_cards
from apps.datasets.queries.contracts import (
    contract_to_edit,
    newest_ready,
    newest_revision,
    propose_for,
    revision_before,
)
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
from apps.datasets.queries.diffs import (
    HEAVY_DIFF_FIELDS,
    changed_schema,
    chosen_pair,
    diff_figures,
    diff_result,
    example_rows,
    numbers_to_compare,
    prepare_diff,
    proposed_key,
)
from apps.datasets.queries.errors import (
    ErrorList,
    error_list,
    error_list_format,
    failure_places,
)
from apps.datasets.queries.fingerprints import (
    changed_groups,
    prepare_fingerprint,
    without_fingerprint,
)
from apps.datasets.queries.profile import profile_figures
from apps.datasets.queries.sealed import (
    budget_of,
    is_open_file,
    looks_allowed,
    opens_sealed_rows,
    prepare_sealed_part,
    sealed_part_of,
    sealed_parts_of,
)
from apps.datasets.queries.uploads import unfinished_uploads
from apps.datasets.queries.versions import (
    HEAVY_FIELDS,
    content_named,
    key_figures,
    latest_versions,
    listed_versions,
    prepare_ingest,
    rows_so_far,
)

__all__ = [
    "HEAVY_DIFF_FIELDS",
    "HEAVY_FIELDS",
    "ColumnCard",
    "DatasheetStanding",
    "ErrorList",
    "budget_of",
    "changed_groups",
    "changed_schema",
    "check_result",
    "check_summary",
    "chosen_pair",
    "column_cards",
    "content_named",
    "contract_to_edit",
    "datasheet_sections",
    "datasheet_standing",
    "datasheet_standings",
    "diff_figures",
    "diff_result",
    "error_list",
    "error_list_format",
    "example_rows",
    "failure_places",
    "hints_of",
    "is_open_file",
    "key_figures",
    "latest_versions",
    "listed_versions",
    "looks_allowed",
    "newest_datasheet",
    "newest_ready",
    "newest_revision",
    "numbers_to_compare",
    "opens_sealed_rows",
    "possible_stewards",
    "prepare_diff",
    "prepare_fingerprint",
    "prepare_ingest",
    "prepare_sealed_part",
    "profile_figures",
    "propose_for",
    "proposed_key",
    "revision_before",
    "rows_so_far",
    "sealed_part_of",
    "sealed_parts_of",
    "unfinished_uploads",
    "versions_with_undecided_hints",
    "without_fingerprint",
]
