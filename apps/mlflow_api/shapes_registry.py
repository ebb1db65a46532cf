"""Registered models and their versions as MLflow's clients read them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from apps.mlflow_api.registry_names import shown_name, versions
from apps.mlflow_api.shapes import SCHEME, milliseconds, pair_fields
from apps.registry.models import Alias, RegisteredModelTag

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from apps.mlflow_api.caller import Caller
    from apps.registry.models import ModelVersion, RegisteredModel

Fields = dict[str, Any]


def model_fields(caller: Caller, models: Sequence[RegisteredModel]) -> list[Fields]:
    """Tell models with tags, aliases and their newest versions, in four queries."""
    keys = [model.pk for model in models]
    tags: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    for pk, key, value in (
        RegisteredModelTag.objects.filter(model__in=keys)
        .order_by("key")
        .values_list("model_id", "key", "value")
    ):
        tags[pk].append((key, value))
    aliases: dict[UUID, list[Fields]] = defaultdict(list)
    for alias in (
        Alias.objects.filter(model__in=keys).select_related("version").order_by("name")
    ):
        number = str(alias.version.number)
        aliases[alias.model_id].append({"alias": alias.name, "version": number})
    newest: dict[UUID, list[Fields]] = defaultdict(list)
    found = newest_of_stages(caller, keys)
    for version in found:
        newest[version.model_id].append(version_fields(caller, version))
    return [
        {
            "name": shown_name(caller, model),
            "creation_timestamp": milliseconds(model.created_at),
            "last_updated_timestamp": milliseconds(model.updated_at),
            "description": model.description,
            "latest_versions": newest[model.pk],
            "tags": pair_fields(tags[model.pk]),
            "aliases": aliases[model.pk],
        }
        for model in models
    ]


def newest_of_stages(
    caller: Caller, models: Sequence[UUID], stages: Sequence[str] = ()
) -> list[ModelVersion]:
    """Find the newest version of each model in each stage, in one query.

    Args:
        caller: who asks.
        models: their ids.
        stages: empty for all.
    """
    rows = versions(caller).filter(model__in=models)
    if stages:
        rows = rows.filter(stage__in=stages)
    ordered = rows.order_by("model_id", "stage", "-number")
    return list(ordered.distinct("model_id", "stage"))


def download_uri(version: ModelVersion) -> str:
    """The address of the frozen files of a version."""
    return f"{SCHEME}registry/{version.model_id.hex}/{version.number}"


def version_fields(caller: Caller, version: ModelVersion) -> Fields:
    """Tell a version that `versions` found, without a query."""
    told = {
        "name": shown_name(caller, version.model),
        "version": str(version.number),
        "creation_timestamp": milliseconds(version.created_at),
        "last_updated_timestamp": milliseconds(version.updated_at),
        "user_id": version.registered_by.full_name,
        "current_stage": version.stage,
        "description": version.description,
        "source": version.source or download_uri(version),
        "status": "READY",
        "status_message": version.quarantine or version.unfit_reason,
        "run_link": version.run_link,
        "tags": version.tag_pairs,  # type: ignore[attr-defined]
        "aliases": version.alias_names,  # type: ignore[attr-defined]
    }
    if version.run_id:
        told["run_id"] = version.run_id.hex
    if version.logged_model_id:
        told["model_id"] = f"m-{version.logged_model_id.hex}"
    return told
