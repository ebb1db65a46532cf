"""Everything that changes a registered model or its versions."""

from apps.registry.actions.aliases import delete_alias, move_stage, set_alias
from apps.registry.actions.cards import download_model_file, edit_card
from apps.registry.actions.importing import import_registered_model, import_version
from apps.registry.actions.models import (
    ModelNameTaken,
    create_model,
    delete_model,
    delete_model_tag,
    describe_model,
    rename_model,
    set_model_tag,
)
from apps.registry.actions.versions import (
    Origin,
    VersionWords,
    create_version,
    delete_version,
    delete_version_tag,
    describe_version,
    register_version,
    set_version_tag,
)

__all__ = [
    "ModelNameTaken",
    "Origin",
    "VersionWords",
    "create_model",
    "create_version",
    "delete_alias",
    "delete_model",
    "delete_model_tag",
    "delete_version",
    "delete_version_tag",
    "describe_model",
    "describe_version",
    "download_model_file",
    "edit_card",
    "import_registered_model",
    "import_version",
    "move_stage",
    "register_version",
    "rename_model",
    "set_alias",
    "set_model_tag",
    "set_version_tag",
]
