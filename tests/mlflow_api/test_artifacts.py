"""Files of runs: under their owner, in the store by their content, never elsewhere."""

import hashlib
import socket
from http.client import HTTPConnection

import pytest

from apps.experiments import actions
from apps.experiments.actions import RunStart
from apps.experiments.models import Artifact
from tests.factories import experiments as factory

API = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
def run(world):
    made = factory.experiment(world.project, world.data_scientist)
    return actions.start_run(experiment=made, start=RunStart(), by=world.data_scientist)


@pytest.fixture
def root(run):
    return f"{run.experiment_id.hex}/{run.pk.hex}/artifacts"


def put(mlflow, path: str, content: bytes = b"x"):
    return mlflow.client.put(f"{API}/{path}", content, content_type="text/plain")


def test_a_file_is_kept_by_its_content_and_given_back(mlflow, run, root):
    assert put(mlflow, f"{root}/a/b.txt", b"hello").status_code == 200

    kept = Artifact.objects.get(run=run)
    answer = mlflow.client.get(f"{API}/{root}/a/b.txt")
    assert kept.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert answer.getvalue() == b"hello"
    assert answer["Content-Type"] == "text/plain"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == 'attachment; filename="b.txt"'


def test_folders_are_listed_one_level_at_a_time(mlflow, run, root):
    for path in ("a/b.txt", "a/c/d.txt", "e.txt"):
        put(mlflow, f"{root}/{path}")

    def listed(folder: str):
        return mlflow.client.get(API, {"path": folder}).json()

    assert listed(root)["files"] == [
        {"path": "a", "is_dir": True},
        {"path": "e.txt", "is_dir": False, "file_size": 1},
    ]
    assert [one["path"] for one in listed(f"{root}/a")["files"]] == ["b.txt", "c"]
    assert listed(f"{root}/e.txt") == listed(f"{root}/none") == {}
    asked = {"run_id": run.pk.hex, "path": "a"}
    found = mlflow("artifacts/list", asked, method="get")
    assert found["root_uri"] == f"mlflow-artifacts:/{root}"
    assert [one["path"] for one in found["files"]] == ["a/b.txt", "a/c"]


@pytest.mark.parametrize(
    "path",
    [
        "{root}/../x",
        "{root}/%2e%2e/x",
        "{root}/%252e%252e/x",
        "{root}/a%255c..%255cx",
        "{root}/a%23b",
        "{root}//x",
        "{root}/./x",
        "{root}/a%0Ab",
        "%2Fetc/passwd",
        "{root}",
    ],
)
def test_odd_paths_are_refused(mlflow, root, path):
    answer = put(mlflow, path.format(root=root))

    assert answer.status_code in (400, 404)
    assert not Artifact.objects.exists()


def test_a_file_is_no_folder(mlflow, root):
    put(mlflow, f"{root}/a")

    assert put(mlflow, f"{root}/a/b").status_code == 400
    assert Artifact.objects.get().path == "a"


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_the_owner_is_found_by_the_path(world, mlflow, run, root, method):
    other = factory.experiment(world.project, world.data_scientist, "Other")
    put(mlflow, f"{root}/a.txt")

    stranger = f"{other.pk.hex}/{run.pk.hex}/artifacts/a.txt"
    answer = getattr(mlflow.client, method)(f"{API}/{stranger}")

    assert answer.status_code == 404
    assert answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_files_of_a_recorded_run_never_change(world, mlflow):
    made = factory.experiment(world.project, world.data_scientist)
    run = factory.trained_run(made, world.data_scientist)
    path = f"{made.pk.hex}/{run.pk.hex}/artifacts/model.skops"

    answers = [put(mlflow, path), mlflow.client.delete(f"{API}/{path}")]

    assert [one.status_code for one in answers] == [403, 403]
    assert all("protected" in one.json()["message"] for one in answers)
    assert mlflow.client.get(f"{API}/{path}").getvalue() == factory.MODEL


class _Endless:
    """A body of many bytes that nobody holds."""

    def __init__(self, size: int):
        self.left = size

    def read(self, size: int) -> bytes:
        given = min(size, self.left)
        self.left -= given
        return b"\0" * given


def test_a_large_file_is_never_held_in_memory_and_half_of_one_not_kept(portal, world):
    size = 64 * 1024 * 1024
    run = actions.start_run(
        experiment=factory.experiment(world.project, world.data_scientist),
        start=RunStart(),
        by=world.data_scientist,
    )
    path = f"{API}/{run.experiment_id.hex}/{run.pk.hex}/artifacts/big.bin"
    headers = {"Authorization": f"Bearer {portal.token}", "Content-Length": str(size)}
    link = HTTPConnection("127.0.0.1", portal.port, timeout=60)

    link.request("PUT", path, _Endless(size), headers)
    stored = link.getresponse()
    stored.read()
    link.request("GET", path, headers={"Authorization": headers["Authorization"]})
    answer = link.getresponse()
    received = 0
    while chunk := answer.read(1024 * 1024):
        received += len(chunk)
    link.close()

    assert stored.status == answer.status == 200
    assert received == size == Artifact.objects.get(run=run).size_bytes
    assert portal.peak_bytes() < 350 * 1024 * 1024
    assert _broken_off(portal, path.replace("big", "half")) == 400
    assert run.artifacts.count() == 1


def _broken_off(portal, path: str) -> int:
    """Send less than was announced; return the status."""
    link = HTTPConnection("127.0.0.1", portal.port, timeout=20)
    link.putrequest("PUT", path)
    link.putheader("Authorization", f"Bearer {portal.token}")
    link.putheader("Content-Length", "1000")
    link.endheaders(b"x" * 10)
    link.sock.shutdown(socket.SHUT_WR)
    status = link.getresponse().status
    link.close()
    return status
