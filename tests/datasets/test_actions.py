import io

import pytest

from apps.audit.models import AuditEvent
from apps.core import blobs
from apps.core.errors import Invalid, Refused, TooLarge, WrongState
from apps.datasets import actions
from apps.datasets.models import Dataset, DatasetContent, DatasetVersion
from apps.projects.actions import access
from tests.factories import datasets as factory
from tests.factories import projects as project_factory
from tests.trail import FailedHalfWay, no_room_for_events


@pytest.fixture
def dataset(project, data_scientist) -> Dataset:
    return factory.dataset(project, data_scientist)


def stored(sha256: str) -> bytes:
    with blobs.open_blob(sha256) as content:
        return content.read()


def events(target) -> list[str]:
    found = AuditEvent.objects.filter(target_id=str(target.pk)).order_by("pk")
    return [event.type for event in found]


def test_create_dataset_records_event(dataset, data_scientist):
    event = AuditEvent.objects.get(type="dataset.created")

    assert event.target_id == str(dataset.pk)
    assert event.actor_id == data_scientist.pk
    assert event.project_label == "Inspection"


def test_create_dataset_refuses_a_validator(project, validator):
    with pytest.raises(Refused, match="data scientist"):
        factory.dataset(project, validator)

    assert not Dataset.objects.exists()
    assert not AuditEvent.objects.filter(type__startswith="dataset.").exists()


def test_create_dataset_refuses_a_taken_name(dataset, project, data_scientist):
    with pytest.raises(Invalid) as caught:
        factory.dataset(project, data_scientist)

    assert caught.value.fields == {"name": "Already in use; choose another."}


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Not a slug"), ("name", "x" * 61), ("title", ""), ("title", "x" * 121)],
)
def test_create_dataset_refuses_texts_that_do_not_fit(
    project, data_scientist, field, value
):
    texts = {"name": "a", "title": "A", "description": "", field: value}

    with pytest.raises(Invalid) as caught:
        actions.create_dataset(project=project, by=data_scientist, **texts)

    assert list(caught.value.fields) == [field]


def test_edit_dataset_records_what_changed(dataset, data_scientist):
    actions.edit_dataset(dataset=dataset, values={"title": "Bird"}, by=data_scientist)

    event = AuditEvent.objects.get(type="dataset.edited")
    assert event.changes == {"title": ["Strikes", "Bird"]}


def test_edit_dataset_without_change_leaves_no_event(dataset, data_scientist):
    actions.edit_dataset(
        dataset=dataset, values={"title": "Strikes"}, by=data_scientist
    )

    assert events(dataset) == ["dataset.created"]


def test_upload_version_stores_file_and_queues(
    dataset, data_scientist, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as callbacks:
        version = factory.version(dataset, data_scientist)

    assert (version.number, version.status) == (1, "queued")
    assert stored(version.original_sha256) == factory.CSV
    assert len(callbacks) == 1
    event = AuditEvent.objects.get(type="dataset.version_uploaded")
    assert event.changes == {
        "file": "rows.csv",
        "size_bytes": len(factory.CSV),
        "sha256": version.original_sha256,
    }


def test_upload_version_numbers_without_gaps(dataset, data_scientist):
    factory.version(dataset, data_scientist)
    with pytest.raises(Invalid, match="same file as version 1"):
        factory.version(dataset, data_scientist)

    following = factory.version(dataset, data_scientist, content=b"a\n1\n")

    assert following.number == 2


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("rows.csv", b"", "empty"),
        ("rows.xlsx", b"a", r"end of the name must say"),
        ("rows", b"a", r"end of the name must say"),
        ("a\x00.csv", b"a", "Rename"),
        ("x" * 252 + ".csv", b"a", "Rename"),
    ],
)
def test_upload_version_refuses_unfit_files(
    dataset, data_scientist, name, content, sentence
):
    with pytest.raises(Invalid, match=sentence) as caught:
        actions.upload_version(
            dataset=dataset,
            content=io.BytesIO(content),
            original_name=name,
            by=data_scientist,
        )

    assert list(caught.value.fields) == ["file"]
    assert not DatasetVersion.objects.exists()


def test_upload_version_keeps_only_the_last_part_of_a_path(dataset, data_scientist):
    version = actions.upload_version(
        dataset=dataset,
        content=io.BytesIO(b"a"),
        original_name="..\\..\\etc/Rows.CSV",
        by=data_scientist,
    )

    assert (version.original_name, version.format) == ("Rows.CSV", "csv")


def test_upload_version_refuses_large_files(dataset, data_scientist, settings):
    settings.UPLOAD_LIMIT_BYTES = 3

    with pytest.raises(TooLarge, match="Send a smaller one"):
        factory.version(dataset, data_scientist)


def test_upload_dataset_creates_and_then_adds(project, data_scientist):
    first, second = (
        actions.upload_dataset(
            project=project,
            values={"name": "strikes", "description": "One row per strike."},
            content=io.BytesIO(content),
            original_name="rows.csv",
            by=data_scientist,
        )
        for content in (b"a\n1\n", b"a\n2\n")
    )

    assert first.dataset == second.dataset
    assert first.dataset.title == "strikes"
    assert second.number == 2


def test_upload_dataset_leaves_nothing_when_the_file_is_unfit(project, data_scientist):
    with pytest.raises(Invalid):
        actions.upload_dataset(
            project=project,
            values={"name": "strikes"},
            content=io.BytesIO(b""),
            original_name="rows.csv",
            by=data_scientist,
        )

    assert not Dataset.objects.exists()
    assert not AuditEvent.objects.filter(type="dataset.created").exists()


def test_upload_dataset_does_not_reach_a_dataset_it_cannot_see(
    dataset, project, data_scientist, program_manager
):
    access.restrict(thing=dataset, by=program_manager)
    colleague = project_factory.people.person("colleague@agency.example")
    project_factory.actions.add_member(
        project=project, person=colleague, role="data_scientist", by=program_manager
    )

    with pytest.raises(Invalid, match="There is a dataset named strikes"):
        actions.upload_dataset(
            project=project,
            values={"name": "strikes"},
            content=io.BytesIO(b"a"),
            original_name="rows.csv",
            by=colleague,
        )


@pytest.mark.parametrize(
    ("content", "name", "body"),
    [
        (DatasetContent.ORIGINAL, "rows.csv", factory.CSV),
        (DatasetContent.PARQUET, "strikes-1.parquet", factory.PARQUET),
    ],
)
def test_download_version_hands_out_and_records(
    dataset, data_scientist, validator, content, name, body
):
    version = factory.ready_version(dataset, data_scientist)

    file = actions.download_version(version=version, content=content, by=validator)

    assert (file.name, file.size_bytes) == (name, len(body))
    assert stored(file.sha256) == body
    event = AuditEvent.objects.get(type="dataset.downloaded")
    assert event.changes == {"content": content.value}


def test_download_version_refuses_before_parquet_is_there(dataset, data_scientist):
    version = factory.version(dataset, data_scientist)

    with pytest.raises(WrongState, match="no Parquet file"):
        actions.download_version(
            version=version, content=DatasetContent.PARQUET, by=data_scientist
        )


def test_create_dataset_refuses_the_worker(worker, project):
    with pytest.raises(Refused):
        factory.dataset(project, worker)


@pytest.mark.parametrize(
    "change",
    [
        lambda dataset, by: factory.version(dataset, by),
        lambda dataset, by: access.restrict(thing=dataset, by=by),
        lambda dataset, by: actions.edit_dataset(
            dataset=dataset, values={"title": "Other"}, by=by
        ),
    ],
    ids=["upload_version", "restrict_dataset", "edit_dataset"],
)
def test_a_failure_half_way_leaves_nothing(dataset, data_scientist, change):
    with no_room_for_events(), pytest.raises(FailedHalfWay):
        change(dataset, data_scientist)

    found = Dataset.objects.get()
    assert (found.title, found.is_restricted) == ("Strikes", False)
    assert not DatasetVersion.objects.exists()
    assert events(dataset) == ["dataset.created"]
