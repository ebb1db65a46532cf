"""Files of a run: folders, previews, and what is told of them."""

import json
import random
import re

import pytest

from apps.audit.models import AuditEvent
from apps.experiments import artifact_folders, previews
from apps.experiments.artifact_folders import list_folder
from apps.projects.actions import access
from tests.costs import queries_of
from tests.experiments.test_onnx_summary import model
from tests.factories import datasets as dataset_factory
from tests.factories import experiments as factory

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
MLMODEL = """
flavors:
  python_function: {loader_module: mlflow.sklearn}
  sklearn: {sklearn_version: 1.9.1}
mlflow_version: 3.17.2
model_id: m-0123
signature:
  inputs: '[{"type": "double", "name": "speed", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
"""


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def experiment(project, data_scientist):
    return factory.experiment(project, data_scientist)


@pytest.fixture
def run_with(experiment, data_scientist):
    def make(files, **content):
        artifacts = [factory.artifact(path, body) for path, body in files.items()]
        return factory.run(experiment, data_scientist, artifacts=artifacts, **content)

    return make


def previewed(client, run, path: str):
    return client.get(f"/runs/{run.pk}/preview/{path}")


def looks(run):
    return AuditEvent.objects.filter(
        target_id=str(run.pk), type="run.artifact_previewed"
    )


def test_a_folder_shows_what_lies_directly_in_it(run_with):
    run = run_with(
        {"a.txt": b"1", "m/b.txt": b"12", "m/deep/c.txt": b"123", "mm/d.txt": b"1"}
    )

    root, inner = list_folder(run, ""), list_folder(run, "m")

    assert [(e.name, e.files, e.size_bytes) for e in root.entries] == [
        ("m", 2, 5),
        ("mm", 1, 1),
        ("a.txt", None, 1),
    ]
    assert [(e.path, e.files) for e in inner.entries] == [
        ("m/deep", 1),
        ("m/b.txt", None),
    ]
    assert list_folder(run, "m/deep").above == [("m", "m"), ("deep", "m/deep")]


def test_a_folder_comes_in_pages_that_leave_nothing_out(run_with, monkeypatch):
    monkeypatch.setattr(artifact_folders, "ENTRIES_ON_A_PAGE", 3)
    names = [f"d{n}/x.txt" for n in range(4)] + [f"f{n}.txt" for n in range(5)]
    run = run_with(dict.fromkeys(names, b"x"))

    seen, after = [], ""
    while True:
        page = list_folder(run, "", after=after)
        seen += [entry.name for entry in page.entries]
        after = page.next_after
        if not after:
            break

    assert seen == [f"d{n}" for n in range(4)] + [f"f{n}.txt" for n in range(5)]


def test_a_large_folder_costs_no_more(client, run_with):
    few = run_with({"m/a.txt": b"x", "m/0.csv": b"x"})
    many = run_with({f"m/{n}.txt": b"x" for n in range(150)} | {"m/0.csv": b"x"})

    page = client.get(f"/runs/{many.pk}/files/?in=m")

    assert "More of this folder" in page.text
    assert queries_of(client, f"/runs/{many.pk}/files/?in=m") == queries_of(
        client, f"/runs/{few.pk}/files/?in=m"
    )


def test_folders_come_alone_to_htmx_and_whole_to_others(client, run_with):
    run = run_with({"m/a.txt": b"x"})

    whole = client.get(f"/runs/{run.pk}/files/?in=m").text
    alone = client.get(f"/runs/{run.pk}/files/?in=m", headers={"HX-Request": "true"})
    absent = client.get(f"/runs/{run.pk}/files/?in=..%00").status_code

    assert "<html" in whole
    assert "<html" not in alone.text
    assert "a.txt" in alone.text
    assert absent == 422
    assert "No file lies" in client.get(f"/runs/{run.pk}/files/?in=..").text


@pytest.mark.parametrize(
    ("path", "content", "kind", "shown"),
    [
        ("a.csv", b"x,y\n1,2\n3,4\n", "table", "<td>4</td>"),
        ("a.tsv", b"x\ty\n1\t2\n", "table", "<td>2</td>"),
        ("a.csv", b"", "table", "Download a.csv"),
        ("a.csv", b"a\x00b", "none", "not text"),
        ("a.csv", b'"' + b"x" * 140_000, "table", "The first 0 rows"),
        ("a.csv", b"a\rb,c\n", "table", "<td>c</td>"),
        ("a.json", b'{"b":[1,{"c":null}]}', "json", "&quot;c&quot;: null"),
        ("a.json", b'{"a": "\\ud800"}', "json", "&quot;a&quot;: &quot;?&quot;"),
        ("t.json", b'{"columns": ["\\udfff"], "data": []}', "table", ">?</th>"),
        ("a.json", b"{nope", "text", "not JSON"),
        ("a.json", b"[" * 100_000, "text", "not JSON"),
        (
            "t.json",
            json.dumps({"columns": ["q"], "data": [["why"], [None]]}).encode(),
            "table",
            "<td>why</td>",
        ),
        ("t.json", b'{"columns": 1, "data": 2}', "json", "columns"),
        ("README.md", b"# Hello\n<b>x</b>", "markdown", "<h3>Hello</h3>"),
        ("a.yaml", b"a: 1", "text", "a: 1"),
        ("a.txt", "gr\u00fc\u00df".encode("utf-16"), "text", "gr\u00fc\u00df"),
        ("a.txt", b"\xff\x00\xfe", "none", "not text"),
        ("a.txt", b"x" * 70_000, "text", "Only the first 65,536 of 70,000"),
        ("a.svg", b"<svg onload='alert(1)'/>", "text", "&lt;svg onload"),
        ("a.html", b"<script>1</script>", "text", "&lt;script&gt;"),
        ("MLmodel", MLMODEL.encode(), "mlmodel", "python_function, sklearn"),
        ("MLmodel", b"- a\n- b", "text", "- a"),
        ("MLmodel", b"a: *b", "text", "a: *b"),
        ("MLmodel", b"signature: {inputs: '{nope'}", "mlmodel", "{nope"),
        ("m.onnx", model(), "onnx", "float32 [rows, 4]"),
        ("m.onnx", b"nothing", "none", "not an ONNX model"),
        ("t.parquet", b"PAR1", "parquet", "only in the sandbox"),
        ("m.pkl", b"cos\nsystem\n", "pickle", "never opens one"),
        ("m.bin", b"\x00", "none", "Files of this kind"),
        ("a.png", PNG, "image", "<img"),
    ],
)
def test_a_file_is_shown_as_far_as_that_is_safe(
    client, run_with, path, content, kind, shown
):
    run = run_with({path: content})

    page = previewed(client, run, path)

    assert page.context["preview"].kind == kind
    assert shown in page.text


def test_no_table_is_too_odd(run_with, monkeypatch):
    artifact = run_with({"a.csv": b"x"}).artifacts.get()
    dice = random.Random(3)

    for _ in range(500):
        text = "".join(dice.choices(',"\n\r x\u2028', k=dice.randint(0, 40)))
        monkeypatch.setattr(previews, "_read", lambda *_, text=text: text.encode())
        assert previews.preview(artifact).kind == "table"


def test_a_signature_is_told_in_words(run_with):
    run = run_with({"MLmodel": MLMODEL.encode()})

    facts = dict(previews.preview(run.artifacts.get()).facts)

    assert facts["Takes"] == "speed double"
    assert facts["Gives"] == "int64 [-1]"


def test_a_wide_and_long_table_is_cut_and_says_so(client, run_with):
    header = ",".join(f"c{n}" for n in range(40))
    rows = "\n".join(",".join("5" * 3 for _ in range(40)) for _ in range(2_000))
    run = run_with({"t.csv": f"{header}\n{rows}".encode()})

    shown = previewed(client, run, "t.csv").context["preview"]

    assert (len(shown.columns), len(shown.rows)) == (30, 50)
    assert "The first 50 rows" in shown.note
    assert "30 of 40 columns" in shown.note


def test_looking_into_a_file_is_recorded_with_what_it_was(
    client, run_with, data_scientist
):
    run = run_with({"a.csv": b"x\n1\n", "a.pkl": b"x", "a.png": PNG})

    for name in ("a.csv", "a.pkl", "a.png"):
        assert previewed(client, run, name).status_code == 200

    event = looks(run).get()
    artifact = run.artifacts.get(path="a.csv")
    assert event.actor_id == data_scientist.pk
    assert event.changes == {"path": "a.csv", "sha256": artifact.sha256}


def test_a_picture_can_do_nothing_and_is_recorded(client, run_with):
    run = run_with({"figures/a.png": PNG})

    answer = client.get(f"/runs/{run.pk}/picture/figures/a.png")

    assert answer.getvalue() == PNG
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert looks(run).count() == 1


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("a.html", PNG),
        ("a.png", b"<html><script>alert(1)</script>"),
    ],
)
def test_what_is_no_picture_is_not_shown_as_one(client, run_with, path, content):
    run = run_with({path: content})

    assert client.get(f"/runs/{run.pk}/picture/{path}").status_code == 404
    assert not looks(run).exists()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"BM", None),
    ],
)
def test_pictures_are_known_by_how_they_begin(head, kind):
    assert previews.picture_type(head) == kind


def test_too_large_a_picture_is_not_shown(client, run_with, monkeypatch):
    monkeypatch.setattr(previews, "MOST_IMAGE_BYTES", 10)
    run = run_with({"a.png": PNG})

    assert "too large" in previewed(client, run, "a.png").text
    assert client.get(f"/runs/{run.pk}/picture/a.png").status_code == 404


def test_rows_of_a_hidden_dataset_are_not_shown(
    client_of, project, run_with, data_scientist, validator
):
    dataset = dataset_factory.dataset(project, data_scientist)
    version = dataset_factory.ready_version(dataset, data_scientist)
    run = run_with({"rows.csv": b"secret\n1\n"}, dataset_version=version)
    access.restrict(thing=dataset, by=data_scientist)

    answer = previewed(client_of(validator), run, "rows.csv")

    assert answer.status_code == 403
    assert "secret" not in answer.text
    assert not looks(run).exists()


def test_a_file_that_is_not_there(client, run_with):
    run = run_with({})

    assert previewed(client, run, "a.csv").status_code == 404
    assert client.get(f"/runs/{run.pk}/picture/a.png").status_code == 404


def test_a_folder_has_an_address_on_the_page_of_the_run(client, run_with):
    run = run_with({"m/a.txt": b"x"})

    page = client.get(run.get_absolute_url()).text

    (address,) = re.findall(r'hx-push-url="([^"#]+)#files"', page)
    assert address == f"{run.get_absolute_url()}?in=m"
    assert "a.txt" in client.get(address).text
