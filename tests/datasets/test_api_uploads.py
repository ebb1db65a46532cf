"""Uploads in chunks as any client of the tus protocol sends them."""

import base64
import hashlib
import re
import socket
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.actions import issue_token
from apps.datasets import parts
from apps.datasets.models import Dataset, Upload
from apps.projects.actions import access
from tests.factories import datasets as factory
from tests.factories.uploads import (
    CONTENT,
    begun,
    chunk_headers,
    metadata,
    received,
    start_headers,
)

KIND = "application/offset+octet-stream"
SHA256 = hashlib.sha256(CONTENT)


@pytest.fixture
def api(api_of, data_scientist):
    return api_of(data_scientist)


@pytest.fixture
def started(api, project) -> str:
    """Address of an upload of which nothing has come."""
    return start(api, project, name="new").headers["Location"]


def start(api, project, **told):
    return api.post(
        f"/api/v1/projects/{project.slug}/uploads", headers=start_headers(**told)
    )


def send(api, address: str, offset: int, content: bytes, **headers: str):
    return api.patch(
        address, content, content_type=KIND, headers=chunk_headers(offset, **headers)
    )


def checksum(algorithm: str, content: bytes) -> str:
    digest = base64.b64encode(hashlib.new(algorithm, content).digest()).decode()
    return f"{algorithm} {digest}"


def test_a_file_comes_in_chunks_and_becomes_a_version(api, project):
    told = {"title": "Grüße", "lastmodified": "1700000000", "filetype": "text/csv"}
    answer = start(api, project, name="new", **told)
    address = answer.headers["Location"]
    assert answer.status_code == 201
    assert answer.headers["Upload-Offset"] == "0"

    first = send(api, address, 0, CONTENT[:9])
    second = send(api, address, 9, CONTENT[9:])
    done = api.post(f"{address}/complete")

    assert (first.status_code, second.status_code) == (204, 204)
    assert first.headers["Upload-Offset"] == "9"
    assert first.headers["Tus-Resumable"] == "1.0.0"
    assert done.status_code == 202
    dataset = Dataset.objects.get()
    version = dataset.versions.get()
    assert dataset.title == "Grüße"
    assert version.original_sha256 == SHA256.hexdigest()
    assert done.headers["Location"] == f"/api/v1/dataset-versions/{version.pk}"
    assert done.json()["page_url"] == version.get_absolute_url()
    assert api.get(address).json()["version_id"] == str(version.pk)
    assert Upload.objects.get().file_modified_ms == 1_700_000_000


def test_head_says_where_to_go_on(api, started):
    send(api, started, 0, CONTENT[:9])

    answer = api.head(started)

    assert answer.headers["Upload-Offset"] == "9"
    assert answer.headers["Upload-Length"] == str(len(CONTENT))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Upload-Expires"].endswith(" GMT")
    assert answer.content == b""


def test_a_wrong_offset_is_answered_with_the_right_one(api, started):
    send(api, started, 0, CONTENT[:9])

    answer = send(api, started, 0, CONTENT)

    assert answer.status_code == 409
    assert answer.headers["Upload-Offset"] == "9"
    assert answer.json()["error"] == "wrong_state"


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_a_chunk_is_checked(api, started, algorithm):
    good = checksum(algorithm, CONTENT)
    bad = checksum(algorithm, CONTENT[1:])

    refused = send(api, started, 0, CONTENT, **{"Upload-Checksum": bad})
    taken = send(api, started, 0, CONTENT, **{"Upload-Checksum": good})

    assert refused.status_code == 460
    assert refused.headers["Upload-Offset"] == "0"
    assert taken.status_code == 204


@pytest.mark.parametrize("text", ["md5 AAAA", "sha256", "", "sha256 é"])
def test_a_checksum_that_is_none_is_refused(api, started, text):
    answer = send(api, started, 0, CONTENT, **{"Upload-Checksum": text})

    assert answer.status_code in {400, 460}
    assert answer.headers["Upload-Offset"] == "0"


@pytest.mark.usefixtures("committed")
def test_a_chunk_that_broke_off_counts_as_far_as_it_came(world, live_server):
    upload = begun(world.project, world.data_scientist)
    _, secret = issue_token(name="t", scope="write", days=1, by=world.data_scientist)
    lines = {
        **chunk_headers(0),
        "Host": "localhost",
        "Authorization": f"Bearer {secret}",
        "Content-Type": KIND,
        "Content-Length": str(len(CONTENT)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    address = (live_server.thread.host, live_server.thread.port)

    with socket.create_connection(address) as link:
        ask = f"PATCH /api/v1/uploads/{upload.pk} HTTP/1.1\r\n{head}\r\n"
        link.sendall(ask.encode() + CONTENT[:9])

    for _ in range(50):
        upload.refresh_from_db()
        if upload.received_bytes:
            break
        time.sleep(0.1)
    assert upload.received_bytes == 9
    assert parts.path_of(upload).read_bytes() == CONTENT[:9]


def test_a_chunk_above_its_limit_is_refused(settings, api, started):
    settings.UPLOAD_CHUNK_BYTES = len(CONTENT) - 1

    answer = send(api, started, 0, CONTENT)

    assert answer.status_code == 413
    assert api.head(started).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    "text", ["", "-1", "1e3", "9" * 19, "٣", " 1 1", "0x10", "1.5"]
)
def test_a_number_that_is_none_is_invalid(api, project, started, text):
    headers = start_headers(name="new") | {"Upload-Length": text}

    length = api.post(f"/api/v1/projects/{project.slug}/uploads", headers=headers)
    offset = send(api, started, 0, CONTENT, **{"Upload-Offset": text})

    assert length.status_code == 422
    assert offset.status_code == 422


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ("filename", "file"),
        ("filename !!", "filename"),
        ("filename /w==", "filename"),
        (metadata(filename="rows.csv", name="new", licence="none"), "licence"),
        (metadata(filename="rows.csv", name="n\0w"), "name"),
        (metadata(filename="rows.csv", name="no spaces"), "name"),
        (metadata(filename="rows.csv"), "name"),
        (metadata(filename="rows.csv", name="new", sha256="abc"), "sha256"),
        (metadata(filename="rows.csv", name="new", lastmodified="x"), "lastmodified"),
        (metadata(filename="rows.csv", name="new", title="x" * 121), "title"),
    ],
)
def test_metadata_at_fault_is_named(api, project, told, field):
    headers = start_headers() | {"Upload-Metadata": told}

    answer = api.post(f"/api/v1/projects/{project.slug}/uploads", headers=headers)

    assert answer.status_code == 422
    assert field in answer.json()["fields"]
    assert not Upload.objects.exists()


def test_another_protocol_is_refused(api, started):
    answer = api.head(started, headers={"Tus-Resumable": "0.2.2"})

    assert answer.status_code == 412
    assert answer.headers["Tus-Version"] == "1.0.0"


def test_another_content_is_refused(api, started):
    answer = api.patch(
        started, b"{}", content_type="application/json", headers=chunk_headers(0)
    )

    assert answer.status_code == 415


def test_options_tell_what_the_portal_speaks(settings, api):
    settings.UPLOAD_TOTAL_LIMIT_BYTES = 1234

    answer = api.options("/api/v1/uploads")

    assert answer.status_code == 204
    assert answer.headers["Tus-Max-Size"] == "1234"
    assert answer.headers["Tus-Extension"] == "creation,checksum,termination,expiration"
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256,sha1"


def test_a_cancelled_upload_has_no_offset(api, started):
    assert api.delete(started).status_code == 204

    answer = api.head(started)

    assert "Upload-Offset" not in answer.headers
    assert api.get(started).json()["state"] == "cancelled"
    assert send(api, started, 0, CONTENT).status_code == 409
    assert api.delete(started).status_code == 409


def test_start_version_upload_goes_to_its_dataset(api, project, data_scientist):
    dataset = factory.dataset(project, data_scientist)

    answer = api.post(
        f"/api/v1/datasets/{dataset.pk}/uploads", headers=start_headers(name="other")
    )

    assert answer.json()["dataset_id"] == str(dataset.pk)
    assert answer.json()["dataset_name"] == dataset.name


def test_start_version_upload_of_a_hidden_dataset_is_not_found(world, api_of):
    dataset = factory.dataset(world.project, world.data_scientist)
    access.restrict(thing=dataset, by=world.data_scientist)

    answer = api_of(world.developer).post(
        f"/api/v1/datasets/{dataset.pk}/uploads", headers=start_headers()
    )

    assert answer.status_code == 404


def test_uploads_list_what_i_began(api, project, data_scientist):
    first = begun(project, data_scientist)
    second = received(project, data_scientist)

    found = api.get("/api/v1/uploads").json()["results"]

    assert [each["id"] for each in found] == [str(second.pk), str(first.pk)]
    assert re.fullmatch(r"/api/v1/uploads/[0-9a-f-]+", found[0]["url"])


def test_expired_time_moves_with_each_chunk(api, started):
    Upload.objects.update(expires_at=timezone.now() + timedelta(hours=1))

    send(api, started, 0, CONTENT[:9])

    assert Upload.objects.get().expires_at > timezone.now() + timedelta(hours=47)


def test_a_browser_sends_chunks_with_its_session(client_of, data_scientist, project):
    browser = client_of(data_scientist)
    address = start(browser, project, name="new").headers["Location"]

    answer = send(browser, address, 0, CONTENT)

    assert answer.status_code == 204
