"""Everything that changes a registered model or its versions."""

from apps.registry.actions.versions import (
    download_model_file,
    edit_card,
    register_version,
)

__all__ = [
    "download_model_file",
    "edit_card",
    "register_version",
]
