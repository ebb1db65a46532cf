"""Sources that are broken, hostile or gone: told thing by thing, and gone on with."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management import CommandError

from apps.core import blobs
from apps.experiments import actions
from apps.experiments.importing import transfer
from apps.experiments.importing.mlruns import MlrunsFolder
from apps.experiments.importing.records import Unreadable
from apps.experiments.importing.server_connection import ServerConnection
from apps.experiments.importing.servers import MlflowServer
from apps.experiments.importing.trees import FolderTree
from apps.experiments.models import ImportedItem, Run, RunImport
from tests.experiments.importing.test_import import bring
from tests.experiments.importing.test_uploads import META

RUN = "0123456789abcdef0123456789abcdef"


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        place.write_bytes(data)
    return folder


@pytest.fixture
def mlruns(tmp_path):
    return write(
        tmp_path / "mlruns",
        {
            "0/meta.yaml": "experiment_id: '0'\nname: Default\n",
            "0/tags/bad$key": "x",
            f"0/{RUN}/meta.yaml": META,
            f"0/{RUN}/params/depth": "4",
            f"0/{RUN}/artifacts/a.txt": "a",
            f"0/{RUN}/artifacts/b.txt": "b",
            f"0/{RUN}/artifacts/c.txt": "c",
        },
    )


def told(source_id: str = RUN) -> str:
    item = ImportedItem.objects.get(source_id=source_id)
    return "\n".join([*item.faults, *item.file_faults])


def test_what_cannot_be_read_is_told_and_the_rest_comes(world, mlruns, tmp_path):
    run = f"0/{RUN}"
    write(
        mlruns,
        {
            f"{run}/metrics/loss": b"1 0.5 0\n\xff\xfe\n2 0.25 1 d\n3 0.1 9 c 12ab\n",
            f"{run}/params/latin": "größe".encode("latin-1"),
            f"{run}/params/long": "x" * 6001,
            f"{run}/tags/nul": "a\0b",
            f"{run}/artifacts/new\nline.txt": "x",
            f"{run}/inputs/x/meta.yaml": "source_type: DATASET\nsource_id: gone\n",
            "0/nothing/meta.yaml": "run_id: [",
        },
    )
    (mlruns / run / "artifacts" / "link").symlink_to("/etc/passwd")
    (mlruns / run / "params" / "link").symlink_to("/etc/passwd")
    (mlruns / "0" / "alias").symlink_to(mlruns / run)

    bring(world, str(mlruns))

    kept = Run.objects.get()
    assert dict(kept.parameters.values_list("key", "value")) == {"depth": "4"}
    # With a dataset in the line, MLflow itself forgets the step.
    assert set(kept.metrics.values_list("step", "value")) == {(0, 0.5), (9, 0.1)}
    assert set(kept.artifacts.values_list("path", flat=True)) == {
        "a.txt",
        "b.txt",
        "c.txt",
    }
    for words in (
        "metrics/loss, line 2",
        "metrics/loss, line 3",
        "params/latin is no UTF-8",
        "6000",
        "tag nul",
        "'new\\nline.txt' cannot be the path",
        "datasets/gone/meta.yaml cannot be read",
        "link: it is a link or no file",
    ):
        assert words in told()
    assert "Line 1" in told("nothing")
    assert "'bad$key'" in told("0")
    assert not ImportedItem.objects.filter(source_id="alias").exists()


def test_nothing_outside_of_the_folder_is_read(world, mlruns, tmp_path):
    secret = write(tmp_path / "secret", {"key": "abc", "meta.yaml": "name: secret\n"})
    run = mlruns / "0" / RUN
    (run / "tags").symlink_to(secret)
    (mlruns / "0" / "datasets").symlink_to(secret.parent)
    input_ = "source_type: DATASET\nsource_id: "
    write(run, {"inputs/up/meta.yaml": f"{input_}../../../secret\n"})
    write(run, {"inputs/link/meta.yaml": f"{input_}secret\n"})
    write(run, {"inputs/root/meta.yaml": f"{input_}/{secret}\n"})
    (run / "artifacts").rename(tmp_path / "elsewhere")
    (run / "artifacts").symlink_to(tmp_path / "elsewhere")

    bring(world, str(mlruns))

    kept = Run.objects.get()
    assert not kept.dataset_inputs.exists()
    assert not kept.artifacts.exists()
    assert not kept.tags.filter(value="abc").exists()
    assert f"0/{RUN}/artifacts: it is a link, which is not followed" in told()
    assert f"0/{RUN}/tags: it is a link, which is not followed" in told()
    assert told().count("a dataset: ") == 3


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "meta.yaml")
    tree = FolderTree(tmp_path)

    assert not tree.has("meta.yaml")
    with (
        pytest.raises(Unreadable, match=r"meta.yaml is no file"),
        tree.open("meta.yaml"),
    ):
        pass


def test_folders_without_end_are_left_out(world, mlruns):
    below = mlruns / "0" / RUN / "artifacts"
    write(below, {f"{'a/' * 40}in.txt": "x", f"{'b/' * 41}out.txt": "x"})

    bring(world, str(mlruns))

    paths = set(Run.objects.get().artifacts.values_list("path", flat=True))
    assert paths == {"a.txt", "b.txt", "c.txt", f"{'a/' * 40}in.txt"}
    assert told().count("more than 40 folders deep") == 1


def test_files_go_on_where_they_were_interrupted(world, mlruns, monkeypatch):
    monkeypatch.setattr(transfer, "FILES_AT_ONCE", 1)
    store, count = blobs.store_stream, []

    def break_at_the_third(*args, **kwargs):
        count.append(1)
        if len(count) == 3:
            raise KeyboardInterrupt
        return store(*args, **kwargs)

    monkeypatch.setattr(blobs, "store_stream", break_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        bring(world, str(mlruns))
    assert Run.objects.get().artifacts.count() == 2
    assert not ImportedItem.objects.get(source_id=RUN).is_whole

    bring(world, str(mlruns))

    assert Run.objects.get().artifacts.count() == 3
    assert len(count) == 4  # none was read twice but the one that broke
    assert ImportedItem.objects.get(source_id=RUN).is_whole


def test_a_full_disk_stops_the_pass_and_says_how_to_go_on(world, mlruns, settings):
    reserve, settings.STORAGE_RESERVE_BYTES = settings.STORAGE_RESERVE_BYTES, 2**60

    with pytest.raises(CommandError, match=r"room.*Give the same command again"):
        bring(world, str(mlruns))

    settings.STORAGE_RESERVE_BYTES = reserve
    bring(world, str(mlruns))
    assert Run.objects.get().artifacts.count() == 3


@pytest.mark.parametrize("path", ["", "none", "0"])
def test_what_is_no_mlruns_is_refused(mlruns, tmp_path, path):
    write(tmp_path, {"empty/x": ""})
    wrong = {"": tmp_path / "empty", "none": tmp_path / "none", "0": mlruns / "0" / RUN}

    with pytest.raises(Unreadable, match=r"is no folder|holds no experiments"):
        MlrunsFolder(wrong[path])


class _Answers(BaseHTTPRequestHandler):
    answers: list[tuple[int, str]]
    asked: list[str]

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append(f"{self.path} {self.headers.get('Authorization')}")
        status, text = self.answers.pop(0)
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        self.do_POST()

    def log_message(self, *_):
        pass


@pytest.fixture
def odd_server() -> Iterator[tuple[str, list, list]]:
    answers: list = []
    asked: list = []
    handler = type("Handler", (_Answers,), {"answers": answers, "asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/ml", answers, asked
        server.shutdown()


def found(address: str, environment=None) -> list[str]:
    server = ServerConnection(address, environment or {}, pauses=(0, 0))
    try:
        return [one.name for one in MlflowServer(server).experiments()]
    finally:
        server.close()


ONE = json.dumps({"experiments": [{"experiment_id": "1", "name": "a\ud800"}]})


def test_a_server_that_stumbles_is_asked_again(odd_server):
    address, answers, asked = odd_server
    answers += [(503, "wait"), (429, "wait"), (200, ONE)]

    assert found(address, {"MLFLOW_TRACKING_TOKEN": "t"}) == ["a\ufffd"]

    assert asked == ["/ml/api/2.0/mlflow/experiments/search Bearer t"] * 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, '{"error_code": "X", "message": "Who?"}'), r"answers 401\. Who\?"),
        ((302, ""), "answers 302"),
        ((200, "<html>"), "does not answer with JSON"),
        ((200, "[1]"), "does not answer with JSON"),
        ((200, '{"experiments": [1]}'), "does not answer as MLflow"),
        ((200, '{"experiments": 1}'), "does not answer as MLflow"),
    ],
)
def test_a_server_that_is_none_is_refused(odd_server, answer, words):
    address, answers, _ = odd_server
    answers.append(answer)

    with pytest.raises(Unreadable, match=words):
        found(address)


def test_a_server_that_is_gone_is_told(odd_server):
    with pytest.raises(Unreadable, match="does not answer"):
        found("http://127.0.0.1:1")


@pytest.mark.parametrize("address", ["ftp://a", "http://ana:pw@a.test", "http://"])
def test_addresses_with_passwords_are_refused(address):
    with pytest.raises(Unreadable, match=r"no address|Leave the password out"):
        ServerConnection(address, {})


def test_basic_names_are_sent(odd_server):
    address, answers, asked = odd_server
    answers.append((200, "{}"))
    given = {"MLFLOW_TRACKING_USERNAME": "a", "MLFLOW_TRACKING_PASSWORD": "b"}

    assert found(address, given) == []
    assert asked[0].endswith("Basic YTpi")


def test_the_report_is_read_by_members_only_and_as_json(world, client_of, mlruns):
    write(mlruns, {f"0/{RUN}/metrics/loss": "bad"})
    bring(world, str(mlruns))
    page = RunImport.objects.get().get_absolute_url()

    seen = client_of(world.validator).get(page).content.decode()
    report = client_of(world.validator).get(f"{page}json/")

    assert "metrics/loss, line 1" in seen
    told = json.loads(report.getvalue())
    assert told["import"]["runs"] == told["import"]["runs_in_part"] == 1
    assert [one["kind"] for one in told["items"]] == ["experiment", "run"]
    assert client_of(world.outsider).get(page).status_code == 404
    again = actions.start_import(
        project=world.project, source="file:///x", by=world.data_scientist
    )
    listed = client_of(world.validator).get(again.get_absolute_url())
    assert "Under way, or interrupted" in listed.content.decode()
