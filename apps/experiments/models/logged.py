"""What is logged to a run.

Every key here begins with the run, so that each table can be parted by runs.
"""

from django.db import models
from django.db.models.functions import Left

from apps.experiments.models.keyed import KeyedValue
from apps.experiments.models.runs import Run


class LogSegment(models.Model):
    """A stretch of one person's logging to a run, told in the trail as one event."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="segments", db_index=False
    )
    # Counts up within the run, from 1; rows name it. What was recorded whole has none.
    number = models.IntegerField()
    logged_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    metrics = models.IntegerField(default=0)
    parameters = models.IntegerField(default=0)
    # Points that also speak of a logged model.
    model_metrics = models.IntegerField(default=0)
    # SHA-256 over its rows, once it is closed.
    digest = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="segments_count_up"),
            models.UniqueConstraint(
                fields=["run"],
                condition=models.Q(closed_at__isnull=True),
                name="one_open_segment_per_run",
            ),
            models.CheckConstraint(
                name="closed_segments_have_a_digest",
                condition=models.Q(closed_at__isnull=True, digest="")
                | (models.Q(closed_at__isnull=False) & ~models.Q(digest="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["opened_at"],
                condition=models.Q(closed_at__isnull=True),
                name="open_segments",
            )
        ]

    def __str__(self) -> str:
        return f"segment {self.number} of {self.run_id}"


class Parameter(KeyedValue):
    """A value that was set before the run; it never changes."""

    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="parameters", db_index=False
    )
    value = models.CharField(max_length=6000)
    segment = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "key"], name="one_value_per_parameter"
            )
        ]
        # Whole values may be too long for an index.
        indexes = [models.Index("key", Left("value", 100), name="runs_by_parameter")]


class Metric(models.Model):
    """A figure measured in the run; points are added and never changed."""

    pk = models.CompositePrimaryKey("run", "key", "timestamp", "step", "value")
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="metrics", db_index=False
    )
    key = models.CharField(max_length=250)
    # When it was measured, by the clock of who measured: milliseconds since 1970, UTC.
    timestamp = models.BigIntegerField()
    step = models.BigIntegerField(default=0)
    # May be infinite or not a number.
    value = models.FloatField()
    segment = models.IntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"{self.key}[{self.step}]={self.value}"


class LatestMetric(models.Model):
    """The newest point of a metric: of the greatest step, then time, then value."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="latest_metrics", db_index=False
    )
    key = models.CharField(max_length=250)
    timestamp = models.BigIntegerField()
    step = models.BigIntegerField()
    value = models.FloatField()

    class Meta:
        # Both hold all that a search asks, so that it need not open the table.
        constraints = [
            models.UniqueConstraint(
                fields=["run", "key"],
                include=["value"],
                name="one_latest_point_per_metric",
            )
        ]
        indexes = [
            models.Index(
                fields=["key", "value"], include=["run"], name="runs_by_metric"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class RunTag(KeyedValue):
    """A word about a run, with its value, which may change."""

    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="tags", db_index=False
    )
    value = models.CharField(max_length=8000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "key"], name="one_value_per_run_tag")
        ]
        indexes = [models.Index("key", Left("value", 100), name="runs_by_tag")]


class DatasetInput(models.Model):
    """Data that a run says it used, which the portal need not hold."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="dataset_inputs", db_index=False
    )
    name = models.CharField(max_length=500)
    digest = models.CharField(max_length=36)
    source_type = models.CharField(max_length=36)
    source = models.TextField()
    schema = models.TextField(blank=True)
    profile = models.TextField(blank=True)
    # What for, such as training; None when nobody said.
    context = models.CharField(max_length=500, null=True)  # noqa: DJ001
    tags = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "name", "digest"], name="one_input_per_dataset"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.digest})"
