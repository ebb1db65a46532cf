"""Files that come in parts: bounded, checked, and left behind by nobody."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from apps.core.ids import new_id
from apps.experiments import actions, tasks
from apps.experiments.actions import RunStart
from apps.experiments.models import Artifact
from apps.experiments.parts import NoSuchUpload, PartedFile
from tests.factories import experiments as factory
from tests.mlflow_api.conftest import asker

MPU = "/api/2.0/mlflow-artifacts/mpu"


@pytest.fixture
def run(world):
    made = factory.experiment(world.project, world.data_scientist)
    return actions.start_run(experiment=made, start=RunStart(), by=world.data_scientist)


class Sender:
    """A program that sends one file of a run in parts."""

    def __init__(self, ask, run, path: str = "/home/ana/model.bin"):
        self.client = ask.client
        self.path = path
        self.root = f"{run.experiment_id.hex}/{run.pk.hex}/artifacts"

    def ask(self, call: str, **fields):
        given = {"path": self.path, **fields}
        address = f"{MPU}/{call}/{self.root}/models"
        return self.client.post(address, given, content_type="application/json")

    def begin(self, parts: int = 2):
        self.told = self.ask("create", num_parts=parts).json()
        return self

    def send(self, number: int, content: bytes, client=None):
        to = self.told["credentials"][number - 1]
        answer = (client or self.client).put(
            urlsplit(to["url"]).path, content, content_type="application/octet-stream"
        )
        return answer, {"part_number": number, "etag": answer.headers.get("ETag", "")}

    def complete(self, *parts):
        return self.ask("complete", upload_id=self.told["upload_id"], parts=parts)


@pytest.fixture
def sender(mlflow, run):
    return Sender(mlflow, run).begin()


def left(settings) -> list[Path]:
    return [one for one in Path(settings.UPLOADS_DIR).rglob("*") if one.is_file()]


def test_parts_in_any_order_become_one_file_once(sender, run, settings):
    _, second = sender.send(2, b"world")
    sender.send(1, b"broken")
    _, first = sender.send(1, b"hello ")

    answers = [sender.complete(second, first), sender.complete(second, first)]

    kept = Artifact.objects.get(run=run)
    assert [one.status_code for one in answers] == [200, 200]
    assert (kept.path, kept.size_bytes) == ("models/model.bin", 11)
    assert kept.sha256 == hashlib.sha256(b"hello world").hexdigest()
    assert {one.name for one in left(settings)} == {"whole"}


def test_credentials_name_the_portal_and_let_in_only_the_caller(sender):
    told = sender.told["credentials"]

    assert [one["part_number"] for one in told] == [1, 2]
    assert all(one["url"].startswith("http://testserver/") for one in told)
    assert told[0]["headers"] == {
        "Authorization": sender.client.defaults["HTTP_AUTHORIZATION"]
    }


@pytest.mark.parametrize(
    ("parts", "status", "words"),
    [
        ([], 400, "numbered from 1"),
        ([{"part_number": 2, "etag": "a"}], 400, "numbered from 1"),
        ([{"part_number": 1, "etag": "0" * 64}], 400, "did not come"),
        ([{"part_number": 1, "etag": "../../whole"}], 400, "did not come"),
        ([{"part_number": 1}], 400, "parts[0].etag"),
        ([{"part_number": 1, "etag": "a"}] * 2, 400, "numbered from 1"),
    ],
)
def test_a_file_with_a_part_amiss_is_not_kept(sender, parts, status, words):
    sender.send(1, b"hello")

    answer = sender.complete(*parts)

    assert answer.status_code == status
    assert words in answer.json()["message"]
    assert not Artifact.objects.exists()


def test_what_is_given_up_is_gone(sender, settings):
    _, part = sender.send(1, b"hello")
    gone = [sender.ask("abort", upload_id=sender.told["upload_id"]) for _ in "ab"]

    answers = [sender.send(1, b"hello")[0], sender.complete(part)]

    assert [one.status_code for one in gone] == [200, 200]
    assert [one.status_code for one in answers] == [404, 404]
    assert "Send the file again" in answers[0].json()["message"]
    assert left(settings) == []


def test_nobody_else_adds_to_it_or_completes_it(world, sender, run):
    _, part = sender.send(1, b"hello")
    world.project.memberships.filter(user=world.validator).update(role="data_scientist")
    other = asker(world.validator, world.project.slug)
    stranger = asker(world.outsider)

    assert sender.send(1, b"evil", other.client)[0].status_code == 404
    assert sender.send(1, b"evil", stranger.client)[0].status_code == 404
    sender.client, own = other.client, sender.client
    assert sender.complete(part).status_code == 404
    sender.client = own
    elsewhere = Sender(type("Ask", (), {"client": own}), run, "other.bin")
    elsewhere.told = sender.told
    assert elsewhere.complete(part).status_code == 404


@pytest.mark.parametrize("path", ["..", "a/..", "a\\..", "%2e%2e", "a#b", "a\nb", "x/"])
def test_odd_names_begin_nothing(mlflow, run, settings, path):
    answer = Sender(mlflow, run, path).ask("create", num_parts=1)

    assert answer.status_code == 400
    assert list(Path(settings.UPLOADS_DIR).glob("*/*")) == []


@pytest.mark.parametrize("count", [0, 10_001, -1])
def test_so_many_parts_are_refused(mlflow, run, count):
    answer = Sender(mlflow, run).ask("create", num_parts=count)

    assert answer.status_code == 400
    assert "1 to 10000 parts" in answer.json()["message"]


def test_a_place_that_is_taken_is_refused_before_anything_is_sent(world, mlflow, run):
    file = factory.artifact("models")
    actions.log_artifact(run=run, file=file, by=world.data_scientist)

    answer = Sender(mlflow, run).ask("create", num_parts=1)

    assert answer.status_code == 400
    assert "a part of its path is a file" in answer.json()["message"]


def test_parts_beyond_the_limit_are_refused(sender, settings):
    settings.UPLOAD_TOTAL_LIMIT_BYTES = 8
    sender.send(1, b"hello")

    answer = sender.send(2, b"world")[0]

    assert answer.status_code == 400
    assert "larger than the" in answer.json()["message"]
    assert len(left(settings)) == 1


def test_a_part_that_is_sent_again_counts_once(sender, settings):
    settings.UPLOAD_TOTAL_LIMIT_BYTES = 11
    folder = next(Path(settings.UPLOADS_DIR).glob("*/*/*"))
    (folder / "00002-killed.draft").write_bytes(b"worl")

    answers = [sender.send(1, b"other ")[0]]
    answers += [sender.send(1, b"hello ")[0] for _ in range(3)]
    _, second = sender.send(2, b"world")
    _, first = sender.send(1, b"hello ")

    assert {one.status_code for one in answers} == {200}
    assert [one.name[:6] for one in left(settings)].count("00001-") == 1
    assert sender.complete(first, second).status_code == 200


def test_one_person_has_only_so_many_uploads_under_way(mlflow, run, world, settings):
    settings.UPLOADS_OPEN_LIMIT = 2
    senders = [Sender(mlflow, run, f"{n}.bin").begin() for n in range(2)]
    _, part = senders[0].send(1, b"hello")

    refused = Sender(mlflow, run, "3.bin").ask("create", num_parts=1)
    assert refused.status_code == 429
    assert "2 files under way" in refused.json()["message"]
    assert senders[0].complete(part).status_code == 200
    third = Sender(mlflow, run, "3.bin").begin()
    for folder in Path(settings.UPLOADS_DIR).glob("*/*/*"):
        if not list(folder.iterdir()):  # all but the one that arrived
            os.utime(folder, (0, 0))
    Sender(mlflow, run, "4.bin").begin()
    assert third.send(1, b"hello")[0].status_code == 404
    world.project.memberships.filter(user=world.validator).update(role="data_scientist")
    Sender(asker(world.validator, world.project.slug), run, "5.bin").begin()


def test_one_person_has_only_so_much_under_way(mlflow, run, sender, settings):
    settings.UPLOADS_OPEN_LIMIT_BYTES = 5
    assert sender.send(1, b"hello")[0].status_code == 200

    answers = [
        sender.send(2, b"w")[0],
        Sender(mlflow, run, "b").begin().send(1, b"w")[0],
    ]

    assert [one.status_code for one in answers] == [429, 429]


def test_completing_is_told_whole_although_the_portal_dies(
    sender, settings, monkeypatch
):
    _, part = sender.send(1, b"hello")

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dies)
        with pytest.raises(KeyboardInterrupt):
            sender.complete(part)

    assert sender.complete(part).status_code == 200
    assert Artifact.objects.get().size_bytes == 5


def test_a_part_that_comes_after_the_end_stays_nowhere(sender, settings):
    _, part = sender.send(1, b"hello")
    sender.complete(part)

    assert sender.send(1, b"late")[0].status_code == 404
    assert {one.name for one in left(settings)} == {"whole"}


def test_an_upload_given_up_while_it_is_completed_is_a_named_error(run, world):
    file = PartedFile(new_id(), "a/b", world.data_scientist)
    file.begin()
    part = file.keep(1, io.BytesIO(b"hello"))
    lock = os.open(file.folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(file.store, [part])
        shutil.rmtree(file.folder)
        os.close(lock)

    with pytest.raises(NoSuchUpload):
        waiting.result(20)


def test_without_room_nothing_stays(sender, settings):
    settings.STORAGE_RESERVE_BYTES = 2**60

    answer = sender.send(1, b"hello")[0]

    assert answer.status_code == 503
    assert answer.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"
    assert left(settings) == []


def test_the_clock_removes_what_nobody_goes_on_with(sender, mlflow, run, settings):
    sender.send(1, b"hello")
    for folder in Path(settings.UPLOADS_DIR).glob("*/*/*"):
        os.utime(folder, (0, 0))
    younger = Sender(mlflow, run, "younger.bin").begin()
    younger.send(1, b"hello")

    tasks.remove_old_parts()

    assert sender.send(1, b"hello")[0].status_code == 404
    assert younger.send(1, b"hello")[0].status_code == 200
