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
from apps.datasets.queries.fingerprints import (
    changed_groups,
    prepare_fingerprint,
    without_fingerprint,
)
from apps.datasets.queries.profile import profile_figures
from apps.datasets.queries.versions import (
    HEAVY_FIELDS,
    content_named,
    failure_places,
    key_figures,
    latest_versions,
    prepare_ingest,
)

__all__ = [
    "HEAVY_DIFF_FIELDS",
    "HEAVY_FIELDS",
    "ColumnCard",
    "changed_groups",
    "changed_schema",
    "check_result",
    "check_summary",
    "chosen_pair",
    "column_cards",
    "content_named",
    "contract_to_edit",
    "diff_figures",
    "diff_result",
    "example_rows",
    "failure_places",
    "key_figures",
    "latest_versions",
    "newest_ready",
    "newest_revision",
    "numbers_to_compare",
    "prepare_diff",
    "prepare_fingerprint",
    "prepare_ingest",
    "profile_figures",
    "propose_for",
    "proposed_key",
    "revision_before",
    "without_fingerprint",
]
