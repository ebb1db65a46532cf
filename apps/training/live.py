"""What the page of a training job shows while it waits, runs, and when it failed."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any
from zlib import crc32

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from apps.core.figures import Axes, Caption, Figure, Line, line_history
from apps.core.templatetags.portal import number
from apps.experiments.models import RunSource
from apps.experiments.queries import counted_by, is_improvement, metric_title
from apps.jobs.models import JobStatus
from apps.training.launch_fields import GIBIBYTE, most_gibibytes, most_minutes
from apps.training.models import TrainingJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.jobs.models import BackgroundJob

MOST_FIGURES = 4
MOST_LINES = 6
# Fewer jobs than this say little about how long the next ones take.
FEWEST_RECENT = 5
MOST_RECENT = 20
SECONDS_PER_MINUTE = 60

Points = dict[int, float]


def title_of(job: TrainingJob) -> str:
    """Say in a word or two how a job stands, for the title of a tab."""
    if job.status == JobStatus.RUNNING:
        return f"{job.progress_ratio:.0%} {job.name}"
    return f"{job.get_status_display()}: {job.name}"


def live_figures(job: TrainingJob) -> list[Figure]:
    """Draw what the job has measured so far, one figure for each measure.

    The id of a figure stays the same while it grows, so that a page can keep it.
    """
    groups: dict[str, dict[str, Points]] = defaultdict(lambda: defaultdict(dict))
    for key, step, value in job.live_metrics:
        groups[key.rpartition(".")[2]][key][step] = value
    return [
        _live_figure(measure, lines)
        for measure, lines in list(groups.items())[:MOST_FIGURES]
    ]


def _live_figure(measure: str, lines: dict[str, Points]) -> Figure:
    title = metric_title(next(iter(lines)) if len(lines) == 1 else measure)
    drawn = [
        Line(metric_title(key), steps, [points[step] for step in steps])
        for key, points in list(lines.items())[:MOST_LINES]
        for steps in [sorted(points)]
    ]
    said = [_last(key, points) for key, points in list(lines.items())[:MOST_LINES]]
    counts = {_counted(key) for key in lines}
    counted = counts.pop() if len(counts) == 1 else "Step"
    return line_history(
        Caption(f"live-{crc32(measure.encode()):08x}", title, " ".join(said)),
        drawn,
        Axes(counted, title),
    )


def _last(key: str, points: Points) -> str:
    step, best = max(points), max(points, key=lambda step: _goodness(key, points[step]))
    at = f"at {_counted(key).lower()}"
    said = f"{metric_title(key)}: {number(points[step])} {at} {step:,}"
    if is_improvement(key, 0, 1) is None or best == step:
        return f"{said}."
    return f"{said}, best {number(points[best])} {at} {best:,}."


def _counted(key: str) -> str:
    return counted_by(key, RunSource.TRAINING)


def _goodness(key: str, value: float) -> float:
    return -value if is_improvement(key, 0, 1) else value


@dataclass(frozen=True)
class Use:
    """How much of one thing a job takes.

    Args:
        title: of the thing.
        used: in words.
        limit: in words; empty without one.
        ratio: used of the limit, 0 to 1; None without one.
    """

    title: str
    used: str
    limit: str = ""
    ratio: float | None = None


def use_of(job: TrainingJob) -> list[Use]:
    """List what a job has taken of its limits."""
    return list(_uses(job)) if job.started_at else []


def _uses(job: TrainingJob) -> Iterator[Use]:
    limits, usage = job.spec["limits"], job.usage
    if job.started_at:
        elapsed = ((job.finished_at or timezone.now()) - job.started_at).total_seconds()
        yield _use("Time", elapsed, limits.get("wall_seconds"), seconds)
    if usage:
        cpu = usage["cpu_seconds"]
        yield _use("Processor time", cpu, limits.get("cpu_seconds"), seconds)
        memory = usage.get("memory_peak_bytes") or usage["memory_bytes"]
        of = limits.get("memory_bytes")
        yield _use("Memory, at most", memory, of, filesizeformat)
        disk = usage["disk_bytes"]
        yield _use(
            "Disk, inputs included", disk, settings.JOB_DISK_BYTES, filesizeformat
        )


def _use(title: str, used: float, limit: float | None, words: Any) -> Use:
    if not limit:
        return Use(title, words(used))
    return Use(title, words(used), words(limit), min(used / limit, 1.0))


def elapsed(job: BackgroundJob) -> str:
    """Say how long a job that ended had worked; empty for one that never began."""
    if not (job.started_at and job.finished_at):
        return ""
    return seconds((job.finished_at - job.started_at).total_seconds())


def seconds(value: float) -> str:
    """Write a duration in the two units that matter."""
    whole = round(value)
    minutes, rest = divmod(whole, SECONDS_PER_MINUTE)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@dataclass(frozen=True)
class Outlook:
    """What a waiting job can expect.

    Args:
        place: in the queue, from 1.
        running: trainings that run now.
        usual: how long recent ones took, in words; empty when too few are known.
        wait: how long this one may wait, in words; empty when that cannot be said.
    """

    place: int
    running: int
    usual: str = ""
    wait: str = ""


def outlook(job: TrainingJob) -> Outlook | None:
    """Estimate how long a waiting job waits; None when it does not wait.

    While some wait, every worker is busy: as many as run now work at a time. Without
    enough recent jobs, or while none runs, no estimate is given.
    """
    if job.status != JobStatus.QUEUED:
        return None
    rows = TrainingJob.objects
    place = rows.filter(status=JobStatus.QUEUED, pk__lte=job.pk).count()
    running = rows.filter(status=JobStatus.RUNNING).count()
    ended = rows.filter(
        status__in=[JobStatus.SUCCEEDED, JobStatus.FAILED], started_at__isnull=False
    ).order_by("-pk")[:MOST_RECENT]
    took = [
        (end - start).total_seconds()
        for start, end in ended.values_list("started_at", "finished_at")
        if start and end
    ]
    if len(took) < FEWEST_RECENT or not running:
        return Outlook(place, running)
    usual = median(took)
    rounds = math.ceil(place / running)
    return Outlook(place, running, seconds(usual), seconds(rounds * usual))


@dataclass(frozen=True)
class Advice:
    """Why a job failed, in a few words, and what its owner can do."""

    heading: str
    steps: list[str]


def advice(job: TrainingJob) -> Advice | None:
    """Say what to do about a failure; None when the job has not failed."""
    if job.status != JobStatus.FAILED:
        return None
    heading, steps = {
        "timeout": ("It reached its time limit", _on_time(job)),
        "out_of_memory": ("It reached its memory limit", _on_memory(job)),
        "bad_input": (
            "Data and settings do not go together",
            ["Change what the message names, and launch it again."],
        ),
        "worker_lost": (
            "Its worker was lost",
            ["Launch it again. If that happens once more, ask an operator."],
        ),
        "out_of_disk": ("It wrote more than it may", [_LESS_TO_KEEP]),
        "too_many_files": ("It wrote more files than it may", [_LESS_TO_KEEP]),
        "disk_full": (
            "The disk of its worker is full",
            ["Ask an operator for room, then launch it again as it is."],
        ),
    }.get(
        job.failure_code,
        ("Training failed", ["Launch it again, or show this page to an operator."]),
    )
    return Advice(heading, steps)


_LESS_TO_KEEP = "Let the training keep fewer or smaller results, and launch it again."


def _on_time(job: TrainingJob) -> list[str]:
    given = (job.spec["limits"].get("wall_seconds") or 0) / SECONDS_PER_MINUTE
    steps = []
    if given < most_minutes():
        steps.append(
            f"Raise its time limit: it had {given:g} minutes, and may have up to "
            f"{most_minutes()}."
        )
    if job.spec.get("search"):
        steps.append("Try fewer settings, or give the search fewer minutes.")
    return [*steps, "Read fewer rows, or choose a quicker kind of model."]


def _on_memory(job: TrainingJob) -> list[str]:
    given = (job.spec["limits"].get("memory_bytes") or 0) / GIBIBYTE
    steps = []
    if given < most_gibibytes():
        steps.append(
            f"Raise its memory limit: it had {given:.3g} GiB, and may have up to "
            f"{most_gibibytes()}."
        )
    return [
        *steps,
        "Read fewer rows, or fewer columns.",
        "Turn categories into numbers (ordinal) instead of a column for each value.",
    ]
