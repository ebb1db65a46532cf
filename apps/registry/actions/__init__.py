"""Everything that changes a registered model, its versions or who sees it."""

from apps.registry.actions.access import (
    grant_model,
    open_model,
    restrict_model,
    revoke_model_grant,
)
from apps.registry.actions.versions import (
    download_model_file,
    edit_card,
    register_version,
)

__all__ = [
    "download_model_file",
    "edit_card",
    "grant_model",
    "open_model",
    "register_version",
    "restrict_model",
    "revoke_model_grant",
]
