"""People's own code as they send it."""

import io
import uuid
import zipfile
from pathlib import Path

import duckdb
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.projects.actions import set_code_policy
from apps.training import actions
from apps.training.models import CodeJob
from tests.factories import datasets, training

MAIN = """
def main(context):
    context.progress(0.5, "Half")
    context.log("hello")
    context.metric("loss", 0.5, step=1)
    context.metric("loss", 0.25, step=2)
    (context.output / "note.txt").write_text(str(context.parameters["depth"]))
    return {"accuracy": 0.9, "seed": context.seed}
"""
YAML = "entry: train:main\n"


def zipped(files: dict[str, str | bytes] | None = None, **changes) -> io.BytesIO:
    """A project as a zip; a value of None leaves a file out."""
    wanted = {"project.yaml": YAML, "train.py": MAIN, **(files or {}), **changes}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in wanted.items():
            if text is not None:
                archive.writestr(name, text)
    content.seek(0)
    return content


def upload(content: io.BytesIO | None = None) -> SimpleUploadedFile:
    """The same as a browser sends it."""
    return SimpleUploadedFile("project.zip", (content or zipped()).getvalue())


def allow(project) -> None:
    """Let people run their own code in the project."""
    manager = project.memberships.get(role="program_manager").user
    set_code_policy(project=project, allows_code=True, by=manager)
    project.refresh_from_db()


def real_data(project, by, folder: Path):
    """A dataset version with rows that code can read."""
    path = folder / "rows.parquet"
    with duckdb.connect() as database:
        rows = "SELECT i AS speed, i % 2 AS damaged FROM range(60) AS rows(i)"
        database.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    dataset = datasets.dataset(project, by, "rows")
    return datasets.ready_version(
        dataset, by, parquet=path.read_bytes(), result=training.CONTENT
    )


def launched_code(project, by, *, code=None, version=None, **wish) -> CodeJob:
    """A job with own code that waits for a worker."""
    allow(project)
    return actions.launch_code(
        experiment=training.experiment(project, by),
        dataset_version=version or training.data(project, by),
        wish={
            "name": "Mine",
            "parameters": {"depth": 3},
            "seed": 7,
            "submission_key": uuid.uuid4(),
            **wish,
        },
        code=code or zipped(),
        by=by,
    )
