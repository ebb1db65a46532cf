"""Files of runs."""

from django.db import models

from apps.experiments.models.runs import Run


class StoredFile(models.Model):
    """A file under a path, with the digest that its content is kept under."""

    id = models.BigAutoField(primary_key=True)
    path = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=100)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.path

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def holds_data(self) -> bool:
        """Say whether the file holds rows of a dataset: every table does."""
        return self.path.lower().endswith((".parquet", ".csv"))


class Artifact(StoredFile):
    """A file that the run left behind."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="artifacts")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "path"], name="one_artifact_per_path"
            )
        ]
