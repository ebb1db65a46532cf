"""Who took part in making a model version; they neither challenge nor sign it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from apps.registry.models import ModelVersion

if TYPE_CHECKING:
    from apps.accounts.models import User


class Making(NamedTuple):
    """A part in the making: paths from a version to who and when, and what they did."""

    who: str
    when: str
    did: str


MAKING = (
    Making(
        "run__dataset_version__uploaded_by",
        "run__dataset_version__created_at",
        "uploaded its data",
    ),
    Making(
        "run__training_job__launched_by",
        "run__training_job__created_at",
        "launched its training",
    ),
    Making(
        "run__code_job__launched_by", "run__code_job__created_at", "had its code run"
    ),
    Making("logged_model__recorded_by", "logged_model__created_at", "logged its model"),
    Making("run__recorded_by", "run__recorded_at", "recorded its run"),
    Making("registered_by", "created_at", "registered it"),
)


def part_in_making(version: ModelVersion, user: User) -> str:
    """Say what `user` did in the making of `version`, in the past tense; or nothing."""
    paths = [part.who for part in MAKING]
    makers = ModelVersion.objects.values_list(*paths).get(pk=version.pk)
    did = [
        part.did for maker, part in zip(makers, MAKING, strict=True) if maker == user.pk
    ]
    return " and ".join(did)
