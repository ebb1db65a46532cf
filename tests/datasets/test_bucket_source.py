"""Files from a bucket, on a real server that speaks S3."""

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest

from apps.datasets import actions, sources, tasks
from apps.datasets.actions import SourcePlace
from apps.datasets.sources import SourceError
from apps.datasets.sources.places import PAGE_ENTRIES
from tests.factories import datasets as factory

boto3 = pytest.importorskip("boto3", reason="the extra s3 is not installed")
server = pytest.importorskip("moto.server", reason="moto is not installed")

CONTENT = b"species,speed\nGull,140\nHawk,90\n"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server on this machine, with credentials that only it knows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "reader")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-gov-west-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        moto = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        moto.start()
        host, port = moto.get_host_and_port()
        yield f"http://{host}:{port}"
        moto.stop()


@pytest.fixture(scope="module")
def bucket(endpoint):
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(
        Bucket="lake",
        CreateBucketConfiguration={"LocationConstraint": "us-gov-west-1"},
    )
    client.put_object(Bucket="lake", Key="published/2024/strikes.csv", Body=CONTENT)
    client.put_object(Bucket="lake", Key="published/notes.txt", Body=b"Notes.")
    client.put_object(Bucket="lake", Key="published/odd//name.csv", Body=b"")
    client.put_object(Bucket="lake", Key="secret.csv", Body=b"a\n1\n")
    return client


@pytest.fixture
def lake(bucket, endpoint, settings, project):
    address = f"s3://lake/published?endpoint={endpoint}&region=us-gov-west-1"
    settings.DATA_SOURCES = {"lake": address}
    return sources.source_of(project, "lake")


def names(source, folder="", begins="") -> list[str]:
    found = source.listing(folder, begins=begins, after="")
    return [entry.name for entry in found.entries]


def test_listing_shows_folders_and_files(lake):
    assert names(lake) == ["2024", "notes.txt", "odd"]
    assert names(lake, "2024") == ["strikes.csv"]
    assert names(lake, "odd") == []
    assert names(lake, begins="no") == ["notes.txt"]


def test_listing_comes_in_pages(lake, bucket):
    for number in range(PAGE_ENTRIES + 3):
        key = f"paged/many/{number:04}.csv"
        bucket.put_object(Bucket="lake", Key=key, Body=b"a\n")
    lake = replace(lake, prefix="paged")

    first = lake.listing("many", begins="", after="")
    second = lake.listing("many", begins="", after=first.after)

    assert (len(first.entries), len(second.entries)) == (PAGE_ENTRIES, 3)
    assert second.after == ""


def test_entry_describes_an_object(lake):
    entry = lake.entry("2024/strikes.csv")

    assert (entry.name, entry.size_bytes) == ("strikes.csv", len(CONTENT))


@pytest.mark.parametrize("path", ["../secret.csv", "2024/../../secret.csv", "/x"])
def test_a_path_cannot_lead_out(lake, path):
    with pytest.raises(SourceError, match="cannot lead out"):
        lake.entry(path)
    with pytest.raises(SourceError, match="cannot lead out"):
        lake.copy(path, io.BytesIO(), lambda _: None)


def test_what_is_not_there_is_said_in_words(lake, settings, project, endpoint):
    with pytest.raises(SourceError, match=r"missing.csv is not there"):
        lake.entry("missing.csv")
    settings.DATA_SOURCES = {"none": f"s3://none?endpoint={endpoint}"}
    with pytest.raises(SourceError, match="The source is not there"):
        sources.source_of(project, "none").listing("", begins="", after="")


def test_copy_brings_all_bytes(lake):
    target, told = io.BytesIO(), []

    lake.copy("2024/strikes.csv", target, told.append)

    assert target.getvalue() == CONTENT
    assert told[-1] == len(CONTENT)


def test_copy_refuses_an_object_that_changes_meanwhile(lake, bucket):
    key = "changing/changing.csv"
    lake = replace(lake, prefix="changing")
    bucket.put_object(Bucket="lake", Key=key, Body=b"a\n1\n")
    head = bucket.head_object(Bucket="lake", Key=key)
    bucket.put_object(Bucket="lake", Key=key, Body=b"a\n2\n")

    with pytest.raises(SourceError, match="changed while it was copied"):
        lake.fetch(["changing.csv"], head, io.BytesIO(), lambda _: None)


def test_a_server_that_is_away_is_said_in_words(settings, project, endpoint):
    settings.DATA_SOURCES = {"away": "s3://lake?endpoint=http://127.0.0.1:9"}

    with pytest.raises(SourceError, match="did not answer"):
        sources.source_of(project, "away").listing("", begins="", after="")


def test_ingest_version_brings_an_object_in(lake, project, data_scientist):
    version = actions.import_version(
        dataset=factory.dataset(project, data_scientist),
        place=SourcePlace("lake", "2024/strikes.csv"),
        by=data_scientist,
    )

    tasks.ingest_version(pk=str(version.pk))

    version.refresh_from_db()
    assert (version.status, version.row_count) == ("succeeded", 2)
    assert version.original_bytes == len(CONTENT)
