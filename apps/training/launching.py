"""What the launch form and the spec editor begin with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apps.core.errors import Invalid
from apps.training.form_spec import lost_in_form
from engine.spec import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.training.models import TrainingJob
    from engine.spec import TrainSpec

EXAMPLE = """\
# What to learn
task: binary              # binary, multiclass or regression
target: damaged
positive_label: "yes"     # the value that counts as a case; for binary only
features:
- {name: speed, kind: number}
- {name: species, kind: category}

# How to learn it
estimator: hist_gradient_boosting
parameters: {learning_rate: 0.1, max_iter: 200}
search: {method: random, trials: 20, folds: 3, minutes: 5}
split: {method: random, validation_ratio: 0.2}
test_ratio: 0.2
seed: 0
"""


@dataclass(frozen=True)
class Start:
    """What a form begins with.

    Args:
        job: an earlier job that is launched again with changes.
        data: `dataset_version` and `target`, as they stand in addresses.
        values: `spec`, and `name` and `experiment` where they are known.
        notes: sentences about what the form cannot show.
    """

    job: TrainingJob | None = None
    data: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def start_of_job(job: TrainingJob) -> Start:
    """Begin with what an earlier job was told.

    Raises:
        Invalid: this release would not take its spec any more.
    """
    try:
        notes = _notes(job.spec)
    except SpecError as error:
        raise Invalid(
            f"The spec of {job.name} does not fit any more: {error} Download it from "
            "its page, change that, and launch it as text."
        ) from error
    return Start(
        job,
        {"dataset_version": str(job.dataset_version_id), "target": job.spec["target"]},
        {"spec": job.spec, "name": job.name, "experiment": job.experiment_id},
        notes,
    )


def start_of_spec(spec: TrainSpec, given: Mapping[str, Any]) -> Start:
    """Begin with a spec from the editor, and the name and experiment beside it."""
    plain = spec.to_json()
    return Start(
        data={
            "dataset_version": str(given["dataset_version"].pk),
            "target": spec.target,
        },
        values={
            "spec": plain,
            "name": given["name"],
            "experiment": given["experiment"].pk,
        },
        notes=_notes(plain),
    )


def start_of_template(slug: str, offered: Mapping[str, dict[str, Any]]) -> Start:
    """Begin with a template; with nothing where it does not suit the data."""
    return Start(values={"spec": offered[slug]} if slug in offered else {})


def _notes(spec: Mapping[str, Any]) -> list[str]:
    lost = ", ".join(lost_in_form(spec))
    note = f"The form has no field for {lost}. To keep it, launch from the text."
    return [note] if lost else []
