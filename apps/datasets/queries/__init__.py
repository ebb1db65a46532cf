"""What pages and the API show of datasets, and what a worker needs to read one."""

from apps.datasets.queries.checks import check_result, in_order_of_concern
from apps.datasets.queries.columns import ColumnCard, column_cards
from apps.datasets.queries.contracts import (
    newest_ready,
    newest_revision,
    propose_for,
)
from apps.datasets.queries.fingerprints import (
    changed_groups,
    prepare_fingerprint,
    without_fingerprint,
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
    "changed_groups",
    "check_result",
    "column_cards",
    "content_named",
    "failure_places",
    "in_order_of_concern",
    "key_figures",
    "latest_versions",
    "newest_ready",
    "newest_revision",
    "prepare_fingerprint",
    "prepare_ingest",
    "propose_for",
    "without_fingerprint",
]
