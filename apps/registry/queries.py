"""What pages, API and model cards read of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import ForeignObjectRel, OuterRef, Prefetch, Q, Subquery
from django.forms import model_to_dict

from apps.datasets.models import DatasetVersion
from apps.experiments.models import LatestMetric, Parameter, Run
from apps.experiments.queries import FINITE
from apps.projects.models import Objective
from apps.registry.models import (
    CARD_SECTIONS,
    Alias,
    AliasName,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
    VersionState,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.db.models import QuerySet

    from apps.accounts.models import User
    from apps.projects.models import Project
    from apps.registry.candidates import Candidate


def champion_of(model: RegisteredModel) -> ModelVersion | None:
    """Return the version that holds the champion alias, if one does."""
    return ModelVersion.objects.filter(
        aliases__model=model, aliases__name=AliasName.CHAMPION
    ).first()


def is_champion(version: ModelVersion) -> bool:
    """Say whether `version` holds the champion alias."""
    return version.aliases.filter(name=AliasName.CHAMPION).exists()


def twins_of(version: ModelVersion) -> QuerySet[ModelVersion]:
    """Find the versions of the project with the files of `version`, and itself.

    What is held against files counts for them under every name and number.
    """
    return ModelVersion.objects.filter(
        model__project=version.project, manifest_digest=version.manifest_digest
    )


def governed_by(thing: RegisteredModel | ModelVersion) -> str:
    """Name the kind of a governed row that refers to `thing`; empty without any.

    Asked over whatever relations there are: reports, requests and deployments stand
    above and cannot be imported.
    """
    for relation in thing._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel):
            continue
        kind = relation.related_model._meta
        if kind.app_label == thing._meta.app_label:
            continue
        rows = relation.related_model._base_manager
        if rows.filter(**{relation.field.name: thing.pk}).exists():
            return str(kind.verbose_name)
    return ""


def champion_aliases() -> Prefetch[Any]:
    """Prefetch the champion of each model as `model.champion_aliases[0].version`."""
    champions = Alias.objects.filter(name=AliasName.CHAMPION).select_related("version")
    return Prefetch("aliases", queryset=champions, to_attr="champion_aliases")


def model_words() -> list[Prefetch[Any]]:
    """Prefetch aliases with their versions, and tags, of each model."""
    return [
        Prefetch("aliases", Alias.objects.select_related("version").order_by("name")),
        Prefetch("tags", RegisteredModelTag.objects.order_by("key")),
    ]


def newest_versions(models: Iterable[RegisteredModel]) -> dict[UUID, ModelVersion]:
    """Find the newest version of each model, in one query."""
    versions = (
        ModelVersion.objects.active()
        .filter(model__in=[model.pk for model in models])
        .order_by("model_id", "-number")
        .distinct("model_id")
        .defer("manifest", "signature")
    )
    return {version.model_id: version for version in with_verdicts(versions)}


def with_verdicts(versions: QuerySet[ModelVersion]) -> QuerySet[ModelVersion]:
    """Add as `regenerated` what the newest regeneration of each version's run said.

    Asked over the relation: training stands above and cannot be imported.
    """
    certified = Run.objects.filter(
        pk=OuterRef("run_id"), regenerations__status="succeeded"
    ).order_by("-regenerations__number")
    verdict = Subquery(certified.values("regenerations__verdict")[:1])
    return versions.annotate(regenerated=verdict)


def versions_of_run(run: Run, viewer: User) -> QuerySet[ModelVersion]:
    """List the versions that `run` became and `viewer` sees, newest first."""
    visible = ModelVersion.objects.visible_to(viewer).filter(run=run)
    return visible.select_related("model__project").order_by("-pk")


def versions_of_part(
    versions: QuerySet[ModelVersion], candidates: Iterable[Candidate]
) -> QuerySet[ModelVersion]:
    """Keep the versions that candidates of their run became."""
    of_any = Q(pk__in=[])
    for one in candidates:
        of_any |= Q(logged_model=one.logged_model, root=one.root)
    return versions.filter(of_any)


def with_card_parts(versions: QuerySet[ModelVersion]) -> QuerySet[ModelVersion]:
    """Join everything that a version's page and card read of the registry."""
    return with_verdicts(versions).select_related(
        "model__project",
        "registered_by",
        "card",
        "run__experiment",
        "run__recorded_by",
        "run__dataset_version__dataset",
        "run__dataset_version__uploaded_by",
        "logged_model",
        "imported__item__run_import",
    )


def with_names(versions: QuerySet[ModelVersion]) -> QuerySet[ModelVersion]:
    """Join what lists say of versions: their origin, aliases and tags."""
    joined = versions.select_related("registered_by", "run", "logged_model")
    return joined.prefetch_related(
        Prefetch("aliases", Alias.objects.order_by("name")),
        Prefetch("tags", ModelVersionTag.objects.order_by("key")),
    )


def sees_data(version: ModelVersion, viewer: User) -> bool:
    """Say whether `viewer` sees the dataset version that `version` learned from."""
    data = version.data
    visible = DatasetVersion.objects.visible_to(viewer)
    return data is not None and visible.filter(pk=data.pk).exists()


def manifest_entry(version: ModelVersion, path: str) -> dict[str, Any] | None:
    """Find one file in the manifest by its path."""
    found: list[dict[str, Any]] = version.manifest
    return next((entry for entry in found if entry["path"] == path), None)


def card_record(version: ModelVersion) -> dict[str, Any]:
    """Give the registry's part of the model card as plain JSON values.

    Keys: `identity`, `objective`, `sections`, `signature`, `files`, `run`, `dataset`.
    """
    return {
        "identity": _identity(version),
        "objective": _objective(version.project),
        "sections": [
            {"name": name, "title": title, "text": getattr(version.card, name)}
            for name, title in CARD_SECTIONS.items()
        ],
        "signature": version.signature,
        "files": {"manifest_digest": version.manifest_digest, "list": version.manifest},
        "run": _run(version.run) if version.run else None,
        "dataset": _dataset(version.data),
    }


def _identity(version: ModelVersion) -> dict[str, Any]:
    champion = champion_of(version.model)
    return {
        "project": version.project.slug,
        "project_name": version.project.name,
        "mission": version.project.mission,
        "impact": version.project.get_impact_display(),
        "model": version.model.name,
        "description": version.model.description,
        "version": version.number,
        "state": version.state,
        "is_champion": champion is not None and champion.pk == version.pk,
        "registered_at": version.created_at.isoformat(),
        "registered_by": version.registered_by.full_name,
    }


def _objective(project: Project) -> dict[str, Any] | None:
    objective = Objective.objects.filter(project=project).first()
    if objective is None:
        return None
    return model_to_dict(objective, exclude=["id", "project", "updated_at"])


def _run(run: Run) -> dict[str, Any]:
    summary = run.summary
    return {
        "id": str(run.pk),
        "name": run.name,
        "experiment": run.experiment.name,
        "source": run.source,
        "recorded_at": run.recorded_at.isoformat(),
        "parameters": dict(
            Parameter.objects.filter(run=run)
            .order_by("key")
            .values_list("key", "value")
        ),
        "metrics": final_metrics([run.pk]).get(run.pk, {}),
        "rows": summary.get("rows", {}),
        "split_digest": summary.get("split_digest", ""),
        "threshold": summary.get("threshold"),
        "onnx": summary.get("onnx", {}),
        "environment": summary.get("environment", {}),
    }


def final_metrics(
    runs: Iterable[UUID], keys: Iterable[str] | None = None
) -> dict[UUID, dict[str, float]]:
    """Give the last value of metrics by the id of their run, in one query.

    Args:
        runs: ids of runs.
        keys: of the metrics wanted; None for all.
    """
    wanted = {} if keys is None else {"key__in": list(keys)}
    last = LatestMetric.objects.filter(FINITE, run__in=list(runs), **wanted)
    found: dict[UUID, dict[str, float]] = {}
    for metric in last.order_by("run_id", "key"):
        found.setdefault(metric.run_id, {})[metric.key] = metric.value
    return found


def _dataset(version: DatasetVersion | None) -> dict[str, Any] | None:
    if version is None:
        return None
    return {
        "id": str(version.pk),
        "name": version.dataset.name,
        "title": version.dataset.title,
        "version": version.number,
        "sha256": version.parquet_sha256,
        "rows": version.row_count,
        "uploaded_at": version.created_at.isoformat(),
    }


def projects_with_live_models() -> dict[UUID, str]:
    """Find the projects of models that are in use or on the way there.

    Where a model came from stays known for as long as it may be asked about.
    """
    alive = [VersionState.IN_REVIEW, VersionState.APPROVED, VersionState.SUSPENDED]
    versions = ModelVersion.objects.active().filter(
        Q(state__in=alive) | Q(aliases__name=AliasName.CHAMPION)
    )
    return {
        version.project.pk: f"{version} is {version.get_state_display().lower()}, so "
        "what is known of its project stays."
        for version in versions.select_related("model__project")
    }
