"""Runs side by side: what differs between them, what is the same, and who is best."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from apps.core.errors import Invalid
from apps.experiments.models import Parameter, RunTag
from apps.experiments.queries import (
    is_improvement,
    last_points,
    metric_cells,
    metric_title,
    ordered,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from django.db.models import QuerySet

    from apps.experiments.models import Run
    from apps.experiments.queries import Values

FEWEST_COMPARED = 2
MOST_COMPARED = 20
# Of one kind on a page; the spreadsheet holds all.
MOST_LINES = 200
# Parts of the engine's account that are drawn, or belong to the model alone.
NOT_ORIGINS = frozenset({"figures", "signature", "onnx", "search", "threshold"})
# What MLflow notes for itself: its name, its user, its source.
OWN_TAGS = "mlflow."
HIDDEN_DATA = "A restricted dataset"

Facts = dict[str, str]


@dataclass(frozen=True)
class Line:
    """One key across the compared runs, a cell for each."""

    key: str
    title: str
    cells: list[Any]
    differs: bool


@dataclass(frozen=True)
class Section:
    """Lines of one kind: those that differ, and those that are the same in all runs.

    Args:
        title: heading.
        slug: metrics, parameters, tags or origins.
        lines: all lines.
    """

    title: str
    slug: str
    lines: list[Line]

    @cached_property
    def different(self) -> list[Line]:
        """Lines worth a row."""
        return [line for line in self.lines if line.differs]

    @cached_property
    def same(self) -> list[Line]:
        """Lines that one column can tell."""
        return [line for line in self.lines if not line.differs]

    @property
    def shown(self) -> list[Line]:
        """Those that differ, as many as a page holds."""
        return self.different[:MOST_LINES]

    @property
    def shown_same(self) -> list[Line]:
        """Those that are the same, as many as a page holds."""
        return self.same[:MOST_LINES]


@dataclass(frozen=True)
class Quantity:
    """A metric or parameter that can be drawn.

    Args:
        key: as it stands in addresses: `metric:test.recall`, `parameter:max_depth`.
        title: as people say it.
        values: numbers or words, one for each run; None where a run has none.
        lower_is_better: None when nobody said which way is better.
    """

    key: str
    title: str
    values: list[float | str | None]
    lower_is_better: bool | None = None

    @property
    def is_metric(self) -> bool:
        """Tell a metric from a parameter."""
        return self.key.startswith("metric:")

    @property
    def is_number(self) -> bool:
        """Say whether it can be an axis of a scatter plot."""
        return all(isinstance(value, float | None) for value in self.values)

    @property
    def differs(self) -> bool:
        """Say whether there is anything to see."""
        return len(set(self.values)) > 1


@dataclass(frozen=True)
class Comparison:
    """Some runs and all that is known of them, in one order.

    Args:
        runs: in the order they were chosen.
        metrics: last value of each metric.
        last_steps: for each metric the last step at which any run measured it.
        parameters: as they were set.
        tags: words about them, without those of MLflow for itself.
        origins: data, code and environment.
    """

    runs: list[Run]
    metrics: list[Values]
    last_steps: dict[str, int]
    parameters: list[Facts]
    tags: list[Facts]
    origins: list[Facts]

    @property
    def metric_keys(self) -> list[str]:
        """Held-out measures first, mission cost before all."""
        return ordered({key for values in self.metrics for key in values})

    def sections(self) -> list[Section]:
        """Everything as lines, by kind."""
        metrics = [
            Line(key, metric_title(key), metric_cells(key, self.metrics), differs)
            for key in self.metric_keys
            for differs in [len({some.get(key) for some in self.metrics}) > 1]
        ]
        return [
            Section("Metrics", "metrics", metrics),
            Section("Parameters", "parameters", _lines(self.parameters)),
            Section("Tags", "tags", _lines(self.tags)),
            Section("Data, code and environment", "origins", _lines(self.origins)),
        ]

    def rows(self) -> list[list[Any]]:
        """Everything as rows for a spreadsheet, under a row of headings."""
        names = [f"{place}. {run.name}" for place, run in enumerate(self.runs, start=1)]
        ids = [str(run.pk) for run in self.runs]
        rows: list[list[Any]] = [["kind", "key", *names], ["run", "id", *ids]]
        for section in self.sections():
            rows += [
                [section.slug, line.key, *_plain(section, line)]
                for line in section.lines
            ]
        return rows

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values: `runs`, and the lines of each section by slug."""
        found: dict[str, Any] = {"runs": self.runs}
        for section in self.sections():
            found[section.slug] = [
                {
                    "key": line.key,
                    "title": line.title,
                    "values": _plain(section, line),
                    "differs": line.differs,
                }
                for line in section.lines
            ]
        return found

    def quantities(self) -> list[Quantity]:
        """Metrics and parameters that at least two of the runs have."""
        parameters = dict.fromkeys(key for some in self.parameters for key in some)
        found = [
            *(self._metric(key) for key in self.metric_keys),
            *(_parameter(key, self.parameters) for key in sorted(parameters)),
        ]
        return [one for one in found if sum(v is not None for v in one.values) > 1]

    def _metric(self, key: str) -> Quantity:
        values: list[float | str | None] = [some.get(key) for some in self.metrics]
        lower_is_better = is_improvement(key, 0, 1)
        return Quantity(f"metric:{key}", metric_title(key), values, lower_is_better)

    def judging_keys(self) -> list[str]:
        """Metrics by which a run can be best, mission cost first."""
        return [
            key for key in self.metric_keys if is_improvement(key, 0, 1) is not None
        ]

    def best_by(self, key: str) -> list[int]:
        """Places of the runs that no other beats by `key`; none when all are equal."""
        cells = metric_cells(key, self.metrics)
        return [place for place, cell in enumerate(cells) if cell.is_best]


def _plain(section: Section, line: Line) -> list[Any]:
    if section.slug == "metrics":
        return [cell.value for cell in line.cells]
    return line.cells


def _lines(facts: Sequence[Facts]) -> list[Line]:
    keys = dict.fromkeys(key for some in facts for key in some)
    rows = [(key, [some.get(key) for some in facts]) for key in keys]
    return [Line(key, key, cells, len(set(cells)) > 1) for key, cells in rows]


def _parameter(key: str, parameters: Sequence[Facts]) -> Quantity:
    texts = [some.get(key) for some in parameters]
    numbers = [None if text is None else _number(text) for text in texts]
    all_numbers = all(
        (n is None) == (t is None) for n, t in zip(numbers, texts, strict=True)
    )
    values: list[Any] = numbers if all_numbers else texts
    return Quantity(f"parameter:{key}", key, values)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def chosen_ids(texts: Sequence[str]) -> list[UUID]:
    """Read ids of runs as they stand in an address, each once; nonsense is left out."""
    return list(dict.fromkeys(filter(None, map(_uuid, texts))))


def chosen_runs(runs: QuerySet[Run], texts: Sequence[str]) -> list[Run]:
    """Take the runs to compare, in the order they were chosen.

    Raises:
        Invalid: fewer than two or more than twenty are there.
    """
    wanted = chosen_ids(texts)
    found = runs.in_bulk(wanted[: MOST_COMPARED + 1])
    if not FEWEST_COMPARED <= len(found) <= MOST_COMPARED:
        raise Invalid(
            f"Choose {FEWEST_COMPARED} to {MOST_COMPARED} runs of this project."
        )
    return [found[key] for key in wanted if key in found]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def comparison(runs: list[Run], visible_versions: Collection[UUID]) -> Comparison:
    """Set runs side by side, in three queries however many they are.

    Args:
        runs: with experiment, dataset version and who recorded them joined.
        visible_versions: dataset versions that the reader may know about.
    """
    ids = [run.pk for run in runs]
    parameters = _facts(Parameter.objects.filter(run__in=ids))
    tags = _facts(RunTag.objects.filter(run__in=ids).exclude(key__startswith=OWN_TAGS))
    points = last_points(runs)
    steps: dict[str, int] = defaultdict(int)
    for found in points.values():
        for key, (step, _) in found.items():
            steps[key] = max(steps[key], step)
    return Comparison(
        runs,
        [{k: value for k, (_, value) in points[run.pk].items()} for run in runs],
        steps,
        [parameters[run.pk] for run in runs],
        [tags[run.pk] for run in runs],
        _origins(runs, visible_versions),
    )


def _facts(rows: QuerySet[Any]) -> dict[UUID, Facts]:
    """Group keys and values by run, sorted by key."""
    found: dict[UUID, Facts] = defaultdict(dict)
    pairs = rows.order_by("key").values_list("run_id", "key", "value")
    for run_id, key, value in pairs:
        found[run_id][key] = value
    return found


def _origins(runs: list[Run], visible: Collection[UUID]) -> list[Facts]:
    hidden = dict.fromkeys(
        run.dataset_version_id
        for run in runs
        if run.dataset_version_id and run.dataset_version_id not in visible
    )
    numbers = {pk: number for number, pk in enumerate(hidden, start=1)}
    return [
        {
            "Experiment": run.experiment.name,
            "Dataset version": _data(run, numbers),
            "Recorded by": run.recorded_by.full_name,
            "Source": run.get_source_display(),
            **_flat({k: v for k, v in run.summary.items() if k not in NOT_ORIGINS}),
        }
        for run in runs
    ]


def _data(run: Run, hidden: Mapping[UUID, int]) -> str:
    version = run.dataset_version
    if version is None:
        return "Not stated"
    if version.pk not in hidden:
        return f"{version.dataset.title}, version {version.number}"
    number = hidden[version.pk]
    return HIDDEN_DATA if len(hidden) == 1 else f"{HIDDEN_DATA} ({number})"


def _flat(value: Mapping[str, Any], within: str = "") -> Facts:
    """Bring nested facts to one level: `rows.train`, `packages.numpy`."""
    found: Facts = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            found |= _flat(inner, "" if key == "environment" else f"{within}{key}.")
        elif isinstance(inner, str | int | float):
            found[f"{within}{key}"] = str(inner)
    return found
