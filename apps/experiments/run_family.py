"""What surrounds a run: runs above and below it, the data it used, its time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Count, Q, Sum
from django.db.models.functions import Left
from django.utils import timezone

from apps.datasets.models import DatasetVersion
from apps.experiments.models import LoggedModelFile, ModelUse, Run, RunModel, RunTag

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.experiments.models import DatasetInput

PARENT_TAG: Final = "mlflow.parentRunId"
MOST_NESTED: Final = 20
MOST_INPUTS: Final = 50
MOST_FITTING: Final = 200
INDEXED: Final = 100  # characters of a value in the index of tags
SHORTEST_DIGEST: Final = 8  # hexadecimal digits that are no accident


def parent_of(run: Run, user: User) -> Run | None:
    """Find the run that `run` names as the one above it, if `user` sees it."""
    tag = RunTag.objects.filter(run=run, key=PARENT_TAG).first()
    try:
        named = UUID(tag.value) if tag else None
    except ValueError:
        return None
    return Run.objects.visible_to(user).filter(pk=named).first() if named else None


def nested_in(run: Run, user: User) -> list[Run]:
    """List runs that name `run` as the one above them, the oldest first.

    Returns:
        Up to `MOST_NESTED`, and one more when there are more.
    """
    tags = RunTag.objects.annotate(start=Left("value", INDEXED)).filter(
        key=PARENT_TAG, start=run.pk.hex, value=run.pk.hex
    )
    visible = Run.objects.visible_to(user).active().exclude(pk=run.pk)
    nested = visible.filter(pk__in=tags.values("run")).defer("summary")
    return list(nested.order_by("started_at", "pk")[: MOST_NESTED + 1])


def models_of(run: Run) -> list[RunModel]:
    """List the logged models that a run made or used, the made ones first.

    Clients need not say that a run made a model which names the run as its source.

    Returns:
        Up to `MOST_NESTED`, each with its model, `file_count` and `size_bytes`.
    """
    uses = RunModel.objects.filter(run=run, model__deleted_at__isnull=True)
    said = list(uses.select_related("model").order_by("-use", "pk")[:MOST_NESTED])
    sourced = run.logged_models.active().exclude(pk__in=[one.model_id for one in said])
    found = [
        *(one for one in said if one.use == ModelUse.OUTPUT),
        *(
            RunModel(run=run, model=model, use=ModelUse.OUTPUT)
            for model in sourced.order_by("created_at", "pk")[:MOST_NESTED]
        ),
        *(one for one in said if one.use != ModelUse.OUTPUT),
    ][:MOST_NESTED]
    return _with_files(found)


def _with_files(uses: list[RunModel]) -> list[RunModel]:
    """Add `file_count` and `size_bytes` of each model."""
    files = LoggedModelFile.objects.filter(model__in=[one.model_id for one in uses])
    counted = (
        files.order_by().values_list("model").annotate(Count("pk"), Sum("size_bytes"))
    )
    sizes = {model: rest for model, *rest in counted}
    for one in uses:
        one.file_count, one.size_bytes = sizes.get(one.model_id, (0, 0))  # type: ignore[attr-defined]
    return uses


def duration(run: Run) -> str:
    """Say how long a run took, or takes so far, in its two largest units."""
    seconds = int(((run.ended_at or timezone.now()) - run.started_at).total_seconds())
    if seconds < 1:
        return "under a second"
    parts = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        parts += [f"{count}\N{NO-BREAK SPACE}{unit}"] if count else []
    return " ".join(parts[:2])


@dataclass(frozen=True)
class UsedData:
    """Data that a run says it used, with what the portal holds of it.

    Args:
        input: as the client told it.
        version: a dataset version of the project that fits, if the reader sees one.
        by_content: whether the digest fits; otherwise only the name does.
    """

    input: DatasetInput
    version: DatasetVersion | None = None
    by_content: bool = False


def used_data(run: Run, user: User) -> list[UsedData]:
    """List the data a run says it used, in two queries, each with what fits it."""
    inputs = list(run.dataset_inputs.order_by("pk")[:MOST_INPUTS])
    if not inputs:
        return []
    fits = Q()
    for one in inputs:
        fits |= Q(dataset__name__iexact=one.name) | Q(dataset__title__iexact=one.name)
        if len(one.digest) >= SHORTEST_DIGEST:
            fits |= Q(original_sha256__startswith=one.digest)
            fits |= Q(parquet_sha256__startswith=one.digest)
            fits |= Q(fingerprint__digest__startswith=one.digest)
    visible = DatasetVersion.objects.visible_to(user).ready()
    fitting = visible.filter(fits, dataset__project=run.project)
    versions = list(
        fitting.select_related("dataset")
        .only(
            *("number", "original_sha256", "parquet_sha256", "fingerprint"),
            *("dataset__name", "dataset__title"),
        )
        .order_by("-pk")[:MOST_FITTING]
    )
    return [_matched(one, versions) for one in inputs]


def _matched(used: DatasetInput, versions: list[DatasetVersion]) -> UsedData:
    for version in versions:
        if _same_content(used.digest, version):
            return UsedData(used, version, by_content=True)
    for version in versions:
        names = {version.dataset.name.lower(), version.dataset.title.lower()}
        if used.name.lower() in names:
            return UsedData(used, version)
    return UsedData(used)


def _same_content(digest: str, version: DatasetVersion) -> bool:
    known = (
        version.original_sha256,
        version.parquet_sha256,
        (version.fingerprint or {}).get("digest", ""),
    )
    return len(digest) >= SHORTEST_DIGEST and any(
        whole.startswith(digest) for whole in known
    )
