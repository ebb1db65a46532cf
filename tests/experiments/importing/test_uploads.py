"""One run in one file: what is taken, and what is refused with its place."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.audit.models import AuditEvent
from apps.core import blobs
from apps.experiments import actions
from apps.experiments.importing import tables, uploads
from apps.experiments.importing.records import Unreadable
from apps.experiments.models import Artifact, Run, RunTag
from tests.factories import experiments as factory

META = """run_id: 0123456789abcdef0123456789abcdef
run_name: tree
status: 3
start_time: 1700000000000
end_time: 1700000060000
user_id: ana
lifecycle_stage: active
artifact_uri: file:///home/ana/mlruns/0/0123/artifacts
"""
FILES = {
    "meta.yaml": META,
    "params/depth": "4",
    "metrics/loss": "1700000000000 0.5 0\n1700000001000 0.25 1\n",
    "metrics/test/auc": "1700000001000 nan 1\n",
    "tags/team": "blue",
    "artifacts/model/model.bin": "weights",
    "artifacts/notes.txt": "",
}


def zipped(files: dict[str, str | bytes], top: str = "run/") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(f"{top}{path}", text)
    return content.getvalue()


@pytest.fixture
def experiment(world):
    return factory.experiment(world.project, world.data_scientist)


@pytest.fixture
def upload(world, client_of, experiment):
    client = client_of(world.data_scientist)

    def send(name: str, content: bytes | str, status: int = 302):
        data = content if isinstance(content, bytes) else content.encode()
        answer = client.post(
            reverse("experiments:upload_run", args=[experiment.pk]),
            {"file": SimpleUploadedFile(name, data)},
        )
        assert answer.status_code == status, answer.content.decode()
        return answer

    return send


def faults(answer) -> str:
    return " ".join(str(one) for one in answer.context["form"].errors["file"])


@pytest.mark.parametrize("top", ["run/", ""])
def test_a_zipped_run_is_kept_whole_and_protected(world, upload, top):
    answer = upload("run.zip", zipped({**FILES}, top))

    run = Run.objects.get()
    assert answer["Location"] == run.get_absolute_url()
    assert (run.name, run.source, run.status) == ("tree", "file", "FINISHED")
    assert run.started_at.timestamp() == 1_700_000_000
    assert run.claimed_user == "ana"
    assert dict(run.parameters.values_list("key", "value")) == {"depth": "4"}
    assert run.metrics.filter(key="loss").count() == 2
    assert set(run.artifacts.values_list("path", "size_bytes")) == {
        ("model/model.bin", 7),
        ("notes.txt", 0),
    }
    tags = dict(run.tags.values_list("key", "value"))
    assert tags.items() >= {"team": "blue", "portal.uploaded_file": "run.zip"}.items()
    told = AuditEvent.objects.get(type="run.recorded").changes
    assert told["file_sha256"] == tags["portal.uploaded_sha256"]
    assert set(told["artifacts"]) == {"model/model.bin", "notes.txt"}
    with pytest.raises(actions.ParameterChanged.__mro__[2], match="protected"):
        actions.set_run_tags(run=run, tags={"a": "b"}, by=world.data_scientist)


def test_the_same_file_twice_is_one_run_until_that_is_another(upload, experiment):
    content = zipped(FILES)
    first = upload("run.zip", content)
    second = upload("again.zip", content)
    upload("run.zip", zipped({**FILES, "params/depth": "5"}))

    assert first["Location"] == second["Location"]
    assert Run.objects.count() == 2


def test_the_same_file_again_is_known_before_it_is_read(upload, monkeypatch):
    content = zipped(FILES)
    first = upload("run.zip", content)
    monkeypatch.setattr(blobs, "store_stream", None)

    assert upload("again.zip", content)["Location"] == first["Location"]


def test_a_tag_that_somebody_set_is_no_file_that_came(world, upload, experiment):
    content = zipped(FILES)
    other = factory.run(experiment, world.data_scientist)
    digest = hashlib.sha256(content).hexdigest()
    RunTag.objects.create(run=other, key="portal.uploaded_sha256", value=digest)

    upload("run.zip", content)

    assert Run.objects.filter(source="file").count() == 1


def test_json_and_csv_become_runs(upload):
    upload(
        "tree.json",
        json.dumps(
            {
                "parameters": {"depth": 4, "prune": True},
                "metrics": [
                    {"key": "loss", "value": 0.5, "step": 1, "timestamp": 5},
                    {"key": "loss", "value": "NaN", "step": 2},
                ],
                "tags": {"team": "blue"},
            }
        ),
    )
    upload("flat.json", '{"name": "flat", "metrics": {"auc": 0.5}}')
    upload(
        "table.csv",
        '\ufeffkind,key,value,step\nparameter,depth,"4, or 5",\n'
        "metric,loss,.5e-1,12\r\nmetric,loss,inf\n\ntag,team,blau ä,\n",
    )

    tree, flat, table = Run.objects.order_by("pk")
    assert [tree.name, flat.name, table.name] == ["tree", "flat", "table"]
    values = dict(tree.parameters.values_list("key", "value"))
    assert values == {"depth": "4", "prune": "True"}
    assert list(tree.metrics.order_by("step").values_list("step", flat=True)) == [1, 2]
    assert flat.latest_metrics.get().value == 0.5
    assert table.parameters.get().value == "4, or 5"
    steps = table.metrics.order_by("step").values_list("step", "value")
    assert list(steps) == [(0, float("inf")), (12, 0.05)]
    assert dict(table.tags.values_list("key", "value"))["team"] == "blau ä"


BAD_FILES = {
    "no ending": ("run", b"x", "is no .zip, .json or .csv"),
    "no zip": ("run.zip", b"PK nothing", "is no zip"),
    "empty zip": ("run.zip", zipped({}), "there are 0"),
    "no meta": ("run.zip", zipped({"params/a": "1"}), "one meta.yaml"),
    "two runs": ("a.zip", zipped({"a/meta.yaml": "", "b/meta.yaml": ""}, ""), "are 2"),
    "only meta": ("run.zip", zipped({"meta.yaml": META}), "no params, metrics"),
    "up": ("run.zip", zipped({**FILES, "../../etc/x": ""}), "leads out of the zip"),
    "absolute": ("run.zip", zipped({"/etc/x": ""}, ""), "leads out of the zip"),
    "backslash": ("run.zip", zipped({"a\\..\\x": ""}), "leads out of the zip"),
    "bad yaml": (
        "run.zip",
        zipped({**FILES, "meta.yaml": "run_id: [1"}),
        "run/meta.yaml: Line 1",
    ),
    "yaml object": (
        "run.zip",
        zipped({**FILES, "meta.yaml": "!!python/object:os.system {}"}),
        "tags (!name) are not allowed",
    ),
    "billion laughs": (
        "run.zip",
        zipped({**FILES, "meta.yaml": "a: &a [x]\nb: [*a, *a]"}),
        "aliases",
    ),
    "file and folder": (
        "run.zip",
        zipped({**FILES, "artifacts/model": "x"}),
        "run/artifacts/model is a file and a folder",
    ),
    "deep": (
        "run.zip",
        zipped({**FILES, f"artifacts/{'a/' * 60}x": ""}),
        "more than 40 folders deep",
    ),
    "yaml list": ("run.zip", zipped({**FILES, "meta.yaml": "- 1"}), "`name: value`"),
    "bad metric": (
        "run.zip",
        zipped({**FILES, "metrics/loss": "1 0.5 0\n1 much 1\n"}),
        "run/metrics/loss, line 2: '1 much 1'",
    ),
    "latin param": (
        "run.zip",
        zipped({**FILES, "params/depth": "gr\xf6\xdfe".encode("latin-1")}),
        "run/params/depth is no UTF-8 text (byte 3)",
    ),
    "bad key": ("run.zip", zipped({**FILES, "params/a$b": "1"}), "'a$b' cannot be"),
    "long value": ("run.zip", zipped({**FILES, "params/a": "x" * 6001}), "6000"),
    "bad time": (
        "run.zip",
        zipped({**FILES, "meta.yaml": META.replace("1700000000000", "soon")}),
        "'soon': it is no moment",
    ),
    "json": ("run.json", b'{"metrics": {"a": 1,}}', "Line 1, column"),
    "json list": ("run.json", b"[1]", "must be an object"),
    "json deep": ("run.json", b"[" * 100_000, "nested too deeply"),
    "json twice": ("run.json", b'{"tags": {"a": "1", "a": "2"}}', "given twice"),
    "json other": ("run.json", b'{"score": 1}', "'score' is unknown"),
    "json text": ("run.json", b'{"metrics": {"a": "high"}}', "'high', no number"),
    "json huge": ("run.json", b'{"metrics": {"a": 1e999}, "x": 1}', "'x' is unknown"),
    "json step": (
        "run.json",
        b'{"metrics": [{"key": "a", "value": 1, "step": 1.5}]}',
        "metrics, number 1: the step is '1.5'",
    ),
    "json half": ("run.json", b'{"tags": {"a": "\\ud800"}}', "no text has"),
    "json value": ("run.json", b'{"parameters": {"a": [1]}}', "'a' must be a text"),
    "json whole": (
        "run.json",
        b'{"parameters": {"a": %s}}' % (b"9" * 5000),
        "has more than 400 digits",
    ),
    "json figure": (
        "run.json",
        b'{"metrics": {"a": "%s"}}' % (b"9" * 401),
        "the value of 'a' is",
    ),
    "json names": (
        "run.json",
        json.dumps({"tags": {str(n): "" for n in range(20_001)}}).encode(),
        "tags: there are more than 20,000",
    ),
    "csv names": (
        "run.csv",
        "\n".join(["kind,key,value", *(f"tag,{n},x" for n in range(20_001))]).encode(),
        "Line 20002: more than 20,000 tags",
    ),
    "large meta": (
        "run.zip",
        zipped({**FILES, "meta.yaml": META + "#" * 1024**2}),
        "run/meta.yaml is larger than 1024 KiB",
    ),
    "large tag": (
        "run.zip",
        zipped({**FILES, "tags/team": "x" * (128 * 1024 + 1)}),
        "run/tags/team is larger than 128 KiB",
    ),
    "endless line": (
        "run.zip",
        zipped({**FILES, "metrics/loss": "1" * 200_000}),
        "run/metrics/loss has a line of more than 64 KiB",
    ),
    "utf-16": ("run.csv", "kind,key,value".encode("utf-16"), "no UTF-8"),
    "csv header": ("run.csv", b"a,b\n1,2\n", "Line 1 must be"),
    "csv empty": ("run.csv", b"\n", "Line 1 must be"),
    "csv kind": ("run.csv", b"kind,key,value\nscore,a,1\n", "Line 2: the kind"),
    "csv cells": ("run.csv", b"kind,key,value\nmetric,a\n", "Line 2 has 2 cells"),
    "csv number": ("run.csv", b"kind,key,value\nmetric,a,1_0\n", "Line 2: the value"),
    "csv quote": ("run.csv", b'kind,key,value\nmetric,"a"b,1\n', "Line 2: this is no"),
    "csv twice": (
        "run.csv",
        b"kind,key,value\nparameter,a,1\nparameter,a,2\n",
        "Line 3: parameter 'a' has a value",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_what_is_amiss_is_named_and_nothing_is_kept(upload, case):
    name, content, words = BAD_FILES[case]

    answer = upload(name, content, status=422)

    assert words in faults(answer)
    assert not Run.objects.exists()
    assert not Artifact.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "run.zip",
            zipped({**FILES, "metrics/loss": "\n" * 9}),
            "metrics/loss, line 6",
        ),
        ("run.csv", "kind,key,value\n" + "metric,a,1\n" * 6, "Line 7"),
        (
            "run.json",
            json.dumps({"metrics": [{"key": "a", "value": 1}] * 6}),
            "metrics, number 6",
        ),
    ],
)
def test_only_so_many_points_come_in_one_file(
    upload, monkeypatch, name, content, words
):
    monkeypatch.setattr(tables, "MOST_POINTS", 5)
    monkeypatch.setattr(uploads, "MOST_POINTS", 5)

    told = faults(upload(name, content, status=422))

    assert f"{words}: a run in a file may have 5 points" in told
    assert not Run.objects.exists()


@pytest.mark.parametrize("text", ["9" * 100_000 + "x", "1e" + "9" * 100_000])
def test_a_long_figure_is_not_read_again_and_again(text):
    with pytest.raises(Unreadable, match="no number"):  # after minutes, it was
        tables.run_of_csv(f"kind,key,value\nmetric,a,{text}\n", "run", 0)


def test_a_figure_too_large_for_a_computer_is_endless(upload):
    upload("run.json", '{"metrics": {"a": %s}}' % ("9" * 400))

    assert Run.objects.get().latest_metrics.get().value == float("inf")


def with_entry(change) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in FILES.items():
            archive.writestr(path, text)
        entry = zipfile.ZipInfo("artifacts/odd")
        change(entry)
        archive.writestr(entry, "/etc/passwd")
    return content.getvalue()


def _as(kind: int):
    def change(entry: zipfile.ZipInfo) -> None:
        entry.external_attr = (kind | 0o644) << 16

    return change


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(upload, kind):
    answer = upload("run.zip", with_entry(_as(kind)), status=422)

    assert "'artifacts/odd' is a link or a device" in faults(answer)


def test_bombs_are_refused_before_they_are_unpacked(upload, settings):
    settings.UNPACKED_LIMIT_BYTES = 10_000_000
    bomb = zipped({**FILES, "artifacts/zeros": bytes(20_000_000)})
    lying = bytearray(zipped(FILES))
    place = lying.rindex(b"PK\x01\x02")  # of the last file
    lying[place + 24 : place + 28] = struct.pack("<I", 2_000_000_000)

    assert "would have 19 MB" in faults(upload("run.zip", bomb, status=422))
    assert "claims to be larger" in faults(upload("run.zip", bytes(lying), status=422))
    crowd = zipped({f"params/{n}": "" for n in range(20_001)})
    assert "up to 20,000 are taken" in faults(upload("run.zip", crowd, status=422))


def test_a_file_in_a_zip_may_be_as_large_as_any_other(upload, settings):
    settings.UPLOAD_TOTAL_LIMIT_BYTES = 1_000_000
    answer = upload("run.zip", zipped({**FILES, "big": bytes(2_000_000)}), status=422)

    assert "'run/big' has 2 MB" in faults(answer)


def test_trouble_of_the_store_is_not_told_as_damage_of_the_zip(upload, monkeypatch):
    def broken(*_, **__):
        raise PermissionError("the store")

    monkeypatch.setattr(blobs, "store_stream", broken)

    with pytest.raises(PermissionError, match="the store"):
        upload("run.zip", zipped(FILES))


def test_a_damaged_file_in_a_zip_is_named(upload):
    content = zipped({**FILES, "artifacts/big.bin": Path(__file__).read_bytes()})
    place = content.index(b"big.bin") + 200
    damaged = content[:place] + b"\0\0\0\0" + content[place + 4 :]

    answer = upload("run.zip", damaged, status=422)

    assert "artifacts/big.bin is damaged in the zip" in faults(answer)
    assert not Run.objects.exists()


def test_without_room_for_its_files_nothing_is_kept(upload, settings):
    settings.STORAGE_RESERVE_BYTES = 2**60

    upload("run.zip", zipped(FILES), status=507)

    assert not Run.objects.exists()


def test_programs_upload_too_and_see_the_same_sentence(world, api_of, experiment):
    client = api_of(world.data_scientist)
    address = reverse("v1:run_files", args=[experiment.pk])

    def send(name: str, content: bytes):
        return client.post(address, {"file": SimpleUploadedFile(name, content)})

    content = zipped(FILES)
    made, again = send("run.zip", content), send("run.zip", content)
    refused = send("run.csv", b"a,b\n")

    assert [made.status_code, again.status_code] == [201, 201]
    assert made.json()["id"] == again.json()["id"]
    assert refused.status_code == 422
    assert "Line 1 must be" in refused.json()["message"]
