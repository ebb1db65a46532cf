"""One thing of a source that cannot come: told of that thing, and the rest comes."""

from __future__ import annotations

import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection

from apps.core import blobs
from apps.core.errors import Invalid
from apps.experiments import actions
from apps.experiments.importing.records import (
    Malformed,
    SourceExperiment,
    SourceGone,
    SourceRun,
)
from apps.experiments.importing.server_connection import ServerConnection
from apps.experiments.importing.servers import API, MlflowServer
from apps.experiments.importing.transfer import bring_over
from apps.experiments.models import Experiment, ImportedItem, Run, RunImport
from apps.registry.importing.servers import ServerRegistry
from apps.registry.importing.transfer import Places, bring_all_over
from apps.registry.models import RegisteredModel
from tests.experiments.importing.test_hostile import RUN, mlruns, told, write
from tests.experiments.importing.test_import import bring
from tests.experiments.importing.test_uploads import META
from tests.factories import experiments as factory

__all__ = ["mlruns"]

BROKEN = (500, {"message": "out of order"})


class _Server(BaseHTTPRequestHandler):
    """Answers each call by a function of what is asked."""

    calls: dict

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        self._answer(json.loads(self.rfile.read(size)))

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        self._answer({name: one for name, (one,) in query.items()})

    def _answer(self, asked):
        call = self.calls.get(urlsplit(self.path).path.removeprefix(API))
        status, said = call(asked) if call else (404, {"message": "no such call"})
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def run_there(run_id: str, **data) -> dict:
    info = {"run_id": run_id, "run_name": run_id, "status": "FINISHED"}
    return {"info": info, "data": data}


@pytest.fixture
def calls():
    runs = {"1": [run_there("a"), run_there("b")], "2": [run_there("c")]}
    return {
        "/experiments/search": lambda _: (
            200,
            {"experiments": [{"experiment_id": key, "name": key} for key in runs]},
        ),
        "/runs/search": lambda asked: (200, {"runs": runs[asked["experiment_ids"][0]]}),
        "/runs/get": lambda _: (200, {}),
        "/artifacts/list": lambda _: (200, {}),
        "runs": runs,
    }


@pytest.fixture
def address(calls):
    handler = type("Handler", (_Server,), {"calls": calls})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        calls["end"] = lambda: (server.shutdown(), server.server_close())
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def bring_from(world, address: str) -> set[str]:
    """Bring over what a server has; give the names of the runs that are here then."""
    source = MlflowServer(ServerConnection(address, {}, pauses=()))
    by = world.data_scientist
    started = actions.start_import(project=world.project, source=address, by=by)
    lost = bring_over(run_import=started, source=source, by=by, tell=lambda _: None)
    actions.end_import(run_import=started, lost=lost, by=by)
    source.close()
    assert RunImport.objects.get().ended_at
    return set(Run.objects.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("bad", "item", "words"),
    [
        ({"info": None}, "1", "A run: The server does not answer as MLflow does"),
        ({"info": {"run_id": "x"}, "data": [1]}, "x", "no data"),
        (run_there("x", tags="blue"), "x", "no tags"),
        (run_there("x", metrics={"loss": 1}), "x", "no metrics"),
        (
            run_there("x") | {"inputs": {"dataset_inputs": [1]}},
            "x",
            "no dataset_inputs",
        ),
        (run_there("x", metrics=[{"key": "m"}]), "x", "answers 500"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_run_that_cannot_be_read_is_told_and_the_others_come(
    world, calls, address, bad, item, words
):
    calls["/metrics/get-history"] = lambda _: BROKEN
    calls["runs"]["1"].insert(0, bad)

    assert bring_from(world, address) == {"a", "b", "c"}
    assert words in told(item)
    calls["runs"]["1"][0] = run_there("x")
    assert bring_from(world, address) == {"a", "b", "c", "x"}
    assert told(item) == ""


def test_an_experiment_that_cannot_be_read_is_told_and_the_others_come(
    world, calls, address
):
    search, experiments = calls["/runs/search"], calls["/experiments/search"]
    calls["/runs/search"] = lambda asked: (
        BROKEN if asked["experiment_ids"] == ["1"] else search(asked)
    )
    calls["/experiments/search"] = lambda asked: (
        200,
        {"experiments": [{"name": "x"}, *experiments(asked)[1]["experiments"]]},
    )

    assert bring_from(world, address) == {"c"}
    assert "out of order" in told("1")
    assert "no experiment_id" in told("experiment 1")
    calls["/runs/search"] = search
    assert bring_from(world, address) == {"a", "b", "c"}
    assert told("1") == ""


def test_files_that_are_not_listed_are_told_and_come_later(world, calls, address):
    listed = calls["/artifacts/list"]
    calls["/artifacts/list"] = lambda asked: (
        BROKEN if asked["run_id"] == "a" else listed(asked)
    )

    assert bring_from(world, address) == {"a", "b", "c"}
    assert "files that were not listed" in told("a")
    calls["/artifacts/list"] = listed
    bring_from(world, address)
    assert told("a") == ""


def test_numbers_without_end_are_no_points(world, calls, address):
    calls["runs"]["1"].append(run_there("x", metrics=[{"key": "m"}]))
    points = [{"timestamp": float("inf"), "value": 1}, {"timestamp": 5, "value": 2}]
    calls["/metrics/get-history"] = lambda _: (200, {"metrics": points})

    bring_from(world, address)

    assert Run.objects.get(name="x").metrics.get().value == 2
    assert "a point of m" in told("x")


@pytest.mark.parametrize("said", [[], {"experiments": 1}, {"experiments": [1]}])
def test_an_answer_of_another_kind_of_server_is_one_error(calls, address, said):
    calls["/experiments/search"] = lambda _: (200, said)

    with pytest.raises(Malformed, match="answer"):
        list(MlflowServer(ServerConnection(address, {}, pauses=())).experiments())


def test_a_server_that_is_gone_ends_the_pass(world, calls, address):
    def gone(_):
        calls["end"]()
        return 200, {"runs": calls["runs"]["1"]}

    source = MlflowServer(ServerConnection(address, {}, pauses=()))
    calls["/runs/search"] = gone
    by = world.data_scientist
    started = actions.start_import(project=world.project, source=address, by=by)

    with pytest.raises(SourceGone, match="does not answer"):
        bring_over(run_import=started, source=source, by=by, tell=lambda _: None)

    assert RunImport.objects.get().ended_at is None


def bring_registered(world, address: str) -> RunImport:
    """Bring over what a server has with its registered models."""
    connection = ServerConnection(address, {}, pauses=())
    server = MlflowServer(connection)
    by = world.data_scientist
    started = actions.start_import(project=world.project, source=address, by=by)
    places = Places(server, ServerRegistry(connection, server))
    bring_all_over(run_import=started, places=places, by=by, tell=lambda _: None)
    server.close()
    return started


def test_a_server_that_is_gone_before_its_prompts_are_told_ends_the_pass(
    world, calls, address
):
    def gone(_):
        calls["end"]()
        return 200, {"registered_models": []}

    calls["/registered-models/search"] = gone

    with pytest.raises(SourceGone, match="does not answer"):
        bring_registered(world, address)

    assert RunImport.objects.get().ended_at is None


def test_a_registration_that_cannot_be_read_is_told_and_the_others_come(
    world, calls, address
):
    models = [{"name": "x", "tags": "blue"}, {"name": "y"}]
    versions = [{"name": "y", "version": "1", "tags": "blue"}]
    calls["/registered-models/search"] = lambda _: (200, {"registered_models": models})
    calls["/model-versions/search"] = lambda _: (200, {"model_versions": versions})

    bring_registered(world, address)

    assert "no tags" in told("x")
    assert "no tags" in told("y/1")
    assert RegisteredModel.objects.get().name == "y"
    assert RunImport.objects.get().ended_at


def test_trouble_of_the_portal_is_not_told_as_that_of_the_server(calls, address):
    calls["/runs/get"] = lambda _: (200, {"a": 1})
    server = ServerConnection(address, {}, pauses=())

    def store():
        with server.download(f"{API}/runs/get", {}, "a.txt") as content:
            content.read(2)
            raise PermissionError("the store")

    with pytest.raises(PermissionError, match="the store"):
        store()


def test_long_ids_and_names_that_no_text_holds_come_over(world, mlruns):
    ids = [f"{'x' * 251}{n}" for n in range(2)]
    for one in ids:
        write(
            mlruns,
            {
                f"0/{one}/meta.yaml": "status: 3\n",
                f"0/{one}/tags/mlflow.runName": "a\0b",
            },
        )

    bring(world, str(mlruns))
    bring(world, str(mlruns))

    assert Run.objects.filter(name="ab").count() == 2
    items = ImportedItem.objects.filter(kind="run", name="ab")
    assert len(set(items.values_list("run", "source_id"))) == 2


def test_what_is_deleted_there_is_put_aside_by_the_pass_that_ends(
    world, mlruns, monkeypatch
):
    write(
        mlruns,
        {"0/meta.yaml": "experiment_id: '0'\nname: D\nlifecycle_stage: deleted\n"},
    )

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(blobs, "store_stream", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bring(world, str(mlruns))
    assert Experiment.objects.get().deleted_at is None
    bring(world, str(mlruns))
    assert Experiment.objects.get().deleted_at

    actions.restore_experiment(
        experiment=Experiment.objects.get(), by=world.data_scientist
    )
    bring(world, str(mlruns))
    assert Experiment.objects.get().deleted_at is None


def test_copies_of_folders_are_runs_of_their_own_or_told(world, mlruns):
    shutil.copytree(mlruns / "0" / RUN, mlruns / "0" / "copy")
    shutil.copytree(mlruns / "0", mlruns / "1")
    shutil.copytree(mlruns / "1", mlruns / ".trash" / "1")
    write(mlruns, {f"1/{RUN}/artifacts/other.txt": "x"})

    bring(world, str(mlruns))
    again = bring(world, str(mlruns))

    assert Run.objects.count() == 2
    assert not Run.objects.filter(artifacts__path="other.txt").exists()
    assert "Default: 2 runs are here already." in again
    assert "came over in another experiment" in told(RUN)
    assert "calls itself 0123456789abcdef" in told("copy")
    assert ".trash/1 is a copy of it" in told("1")


def test_what_was_told_of_a_run_stays_when_it_can_no_longer_be_read(
    world, mlruns, monkeypatch
):
    write(mlruns, {f"0/{RUN}/metrics/loss": "bad"})
    with monkeypatch.context() as patch:
        patch.setattr(blobs, "store_stream", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bring(world, str(mlruns))
    write(mlruns, {f"0/{RUN}/meta.yaml": "["})

    bring(world, str(mlruns))

    assert "metrics/loss, line 1" in told()
    assert "meta.yaml: Line 1" in told()
    write(mlruns, {f"0/{RUN}/meta.yaml": META})
    bring(world, str(mlruns))
    assert "metrics/loss, line 1" in told()
    assert "meta.yaml: Line 1" not in told()


@pytest.fixture
def begun(world):
    by = world.data_scientist
    started = actions.start_import(project=world.project, source="file:///x", by=by)
    found = SourceExperiment("1", "One")
    made = actions.import_experiment(run_import=started, found=found, by=by)
    return {"run_import": started, "experiment": made, "by": by}


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND datname = current_database()"
        )
        return cursor.fetchone()[0] > 0


def test_two_passes_at_once_make_one_run(committed, begun):
    started = begun["run_import"]
    ImportedItem.objects.create(run_import=started, kind="run", source_id="a", name="a")
    is_begun, goes_on = threading.Event(), threading.Event()

    def slow_points():
        is_begun.set()
        goes_on.wait(60)
        return iter(())

    def bring_one(found):
        try:
            return actions.import_run(found=found, **begun).run_id
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(bring_one, SourceRun("a", "a", points=slow_points))
        is_begun.wait(60)
        second = pool.submit(bring_one, SourceRun("a", "a"))
        while not (second.done() or waits_for_a_lock()):
            time.sleep(0.01)
        goes_on.set()
        made = {first.result(60), second.result(60)}

    assert set(Run.objects.values_list("pk", flat=True)) == made
    assert len(made) == 1


def test_a_file_that_another_pass_brought_stays(world, begun):
    item = actions.import_run(found=SourceRun("a", "a"), **begun)
    file = factory.artifact("a.txt")
    for _ in range(2):
        actions.import_artifacts(
            item=item, files=[file], is_whole=True, by=world.data_scientist
        )

    assert Run.objects.get().artifacts.count() == 1


def test_a_copy_elsewhere_is_refused_as_input(begun, world):
    actions.import_run(found=SourceRun("a", "a"), **begun)
    other = factory.experiment(world.project, world.data_scientist, "Other")

    with pytest.raises(Invalid, match="in another experiment"):
        actions.import_run(found=SourceRun("a", "a"), **begun | {"experiment": other})
