"""Own code as a git bundle: the same as a zip of its files, however hostile it is."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.core import blobs
from apps.core.errors import Invalid
from apps.training import code_bundles
from apps.training.code_bundles import as_zip
from apps.training.code_projects import read_project
from apps.training.models import CodeJob
from tests.factories import code, training
from tests.factories.bundles import Repository
from tests.factories.code import launched_code, zipped
from tests.trail import one_event
from tests.training.test_code import carried_out, form_of, needs_namespaces

LINK = "120000"
SUBMODULE = "160000"


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")


@needs_namespaces
def test_a_bundle_becomes_a_run_that_names_its_commit(
    project, data_scientist, repository, tmp_path, client_of
):
    version = code.real_data(project, data_scientist, tmp_path)
    code.allow(project)
    training.experiment(project, data_scientist)
    commit = repository.commit(repository.project())

    with one_event("code.launched") as found:
        job = launched_code(
            project, data_scientist, code=repository.bundle(), version=version
        )
    job = carried_out(job)

    assert job.status == "succeeded", (job.failure_message, job.failure_details)
    assert job.commit_id == commit == found[0].changes["commit"]
    assert job.run.summary["code"]["commit"] == commit
    client = client_of(data_scientist)
    for page in (job, job.run):
        assert commit in client.get(page.get_absolute_url()).content.decode()


def test_a_bundle_has_the_digest_of_a_zip_of_its_files(
    project, data_scientist, repository
):
    attributes = "train.py export-ignore export-subst text eol=crlf\n"
    files = {"lib/a.py": "# $Format:%H$\n", ".gitattributes": attributes}
    folder = repository.tree(f"100755 blob {repository.blob(files['lib/a.py'])}\ta.py")
    tree = repository.project(
        f"040000 tree {folder}\tlib", **{".gitattributes": attributes}
    )
    repository.commit(tree)

    job = launched_code(project, data_scientist, code=repository.bundle())
    again = launched_code(project, data_scientist, code=repository.bundle())
    plain = launched_code(project, data_scientist, code=zipped(files))

    assert job.tree_digest == plain.tree_digest
    assert job.code_sha256 == again.code_sha256
    assert plain.commit_id == ""
    with blobs.open_blob(job.code_sha256) as stored:
        assert read_project(stored).tree_digest == plain.tree_digest


@pytest.mark.parametrize(
    ("refs", "ref", "expected"),
    [
        (["HEAD"], "", "main"),
        (["main"], "", "main"),
        (["HEAD", "other"], "other", "other"),
        (["--all"], "refs/heads/other", "other"),
        (["--all"], "v1", "other"),
    ],
)
def test_the_ref_is_head_or_the_one_that_is_named(repository, refs, ref, expected):
    first = repository.commit(repository.project())
    second = repository.commit(
        repository.project(**{"b.py": ""}), branch="other", parent=first
    )
    repository.git("tag", "-a", "-m", "x", "v1", "other")

    sent = as_zip(repository.bundle(*refs), ref)

    assert sent.commit == {"main": first, "other": second}[expected]


def test_bundles_of_the_newer_format_are_read(tmp_path):
    repository = Repository(tmp_path / "new", "--object-format=sha256")
    commit = repository.commit(repository.project())

    assert as_zip(repository.bundle()).commit == commit


def cut(repository):
    repository.commit(repository.project())
    return io.BytesIO(repository.bundle().getvalue()[:-30])


def changed(repository):
    repository.commit(repository.project())
    data = bytearray(repository.bundle().getvalue())
    data[-40] ^= 1
    return io.BytesIO(bytes(data))


def header_only(repository):
    repository.commit(repository.project())
    return io.BytesIO(repository.bundle().getvalue().partition(b"\n\n")[0])


def no_bundle(repository):
    return SimpleUploadedFile("x.bundle", b"GIF89a" * 20)


def incremental(repository):
    first = repository.commit(repository.project())
    repository.commit(repository.project(**{"b.py": ""}), parent=first)
    return repository.bundle(f"{first}..HEAD", "HEAD")


def filtered(repository):
    repository.commit(repository.project())
    _, _, rest = repository.bundle().getvalue().partition(b"\n")
    return io.BytesIO(b"# v3 git bundle\n@filter=blob:none\n" + rest)


def without_its_objects(repository):
    repository.commit(repository.project())
    head, _, pack = repository.bundle().getvalue().partition(b"\n\n")
    oid = head.split(b"\n")[1][:40]
    return io.BytesIO(head.replace(oid, b"1" * 40) + b"\n\n" + pack)


def holding(mode, kind, name, content="x"):
    def make(repository):
        oid = "1" * 40 if kind == "commit" else repository.blob(content)
        repository.commit(repository.project(f"{mode} {kind} {oid}\t{name}"))
        return repository.bundle()

    return make


def forged_tree(name):
    """A tree with a name that git itself would not write."""

    def make(repository):
        entry = b"100644 " + name + b"\0" + bytes.fromhex(repository.blob("x"))
        tree = repository.git(
            "hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=entry
        )
        repository.commit(tree)
        return repository.bundle()

    return make


def many_files(repository):
    oid = repository.blob("")
    lines = [f"100644 blob {oid}\tf{number:04}.py" for number in range(501)]
    repository.commit(repository.project(*sorted(lines)))
    return repository.bundle()


def trees_in_trees(repository):
    """Sixteen trees that list four thousand million files."""
    line = f"100644 blob {repository.blob('')}\tf"
    for _ in range(16):
        lines = [line.rpartition("\t")[0] + f"\t{name}" for name in "abcd"]
        line = f"040000 tree {repository.tree(*lines)}\t"
    repository.commit(repository.project(f"{line}deep"))
    return repository.bundle()


HOSTILE = {
    "no bundle": (no_bundle, "is none"),
    "cut": (cut, "damaged or not whole"),
    "changed": (changed, "damaged or not whole"),
    "header": (header_only, "not a git bundle, or is cut off"),
    "incremental": (incremental, "builds on commits that are not in it"),
    "filtered": (filtered, "not supported"),
    "no objects": (without_its_objects, "damaged or not whole"),
    "link": (holding(LINK, "blob", "x", "/etc/passwd"), "x is a link"),
    "submodule": (holding(SUBMODULE, "commit", "sub"), "sub is a submodule"),
    "above": (forged_tree(b".."), "damaged or not whole.*hasDotdot"),
    "path": (forged_tree(b"../../x.py"), "damaged or not whole.*fullPathname"),
    "absolute": (forged_tree(b"/etc/x.py"), "damaged or not whole.*fullPathname"),
    "dot git": (forged_tree(b".git"), "damaged or not whole.*hasDotgit"),
    "hidden dot git": (forged_tree(b".GIT"), "damaged or not whole.*hasDotgit"),
    "backslash": (holding("100644", "blob", "a\\..\\x.py"), "leads out of the zip"),
    "control": (holding("100644", "blob", "x\n.py"), "leads out of the zip"),
    "not UTF-8": (forged_tree(b"\xff.py"), "does not belong"),
    "nested": (holding("100644", "blob", "inner.zip"), "archive within"),
    "bomb": (holding("100644", "blob", "b", "0" * 60 * 1024**2), "larger than 50 MiB"),
    "many": (many_files, "more than 500 files"),
    "trees": (trees_in_trees, "more than 500 files"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_bundles_are_refused(repository, kind):
    make, sentence = HOSTILE[kind]

    with pytest.raises(Invalid, match=sentence) as refusal:
        read_project(as_zip(make(repository)).archive)

    assert set(refusal.value.fields) == {"code"}


def test_a_large_bundle_is_refused_before_it_is_read(repository, monkeypatch):
    monkeypatch.setattr(code_bundles, "MAX_ZIP_BYTES", 100)
    repository.commit(repository.project())

    with pytest.raises(Invalid, match="larger than"):
        as_zip(repository.bundle())


def test_a_bundle_that_takes_too_long_is_given_up(repository, monkeypatch):
    monkeypatch.setattr(code_bundles, "WALL_SECONDS", 1)
    line = f"040000 tree {repository.tree()}\t"
    for _ in range(40):  # a million million empty folders
        lines = [f"{line}{name}" for name in "ab"]
        line = f"040000 tree {repository.tree(*lines)}\t"
    repository.commit(repository.project(f"{line}deep"))

    with pytest.raises(Invalid, match="within the limits"):
        as_zip(repository.bundle())


def test_a_bundle_is_refused_where_nothing_keeps_git_apart(repository, settings):
    settings.JOB_SANDBOX = []
    repository.commit(repository.project())

    with pytest.raises(Invalid, match="cannot keep this job apart"):
        as_zip(repository.bundle())


@pytest.mark.parametrize("ref", ["none", "-x", "--upload-pack=x", "HEAD^{tree}"])
def test_a_ref_that_is_not_in_the_bundle_is_told(repository, ref):
    repository.commit(repository.project())

    with pytest.raises(Invalid, match="one of these: HEAD") as refusal:
        as_zip(repository.bundle(), ref)

    assert set(refusal.value.fields) == {"ref"}


def test_a_zip_has_no_refs():
    with pytest.raises(Invalid, match="Only a git bundle") as refusal:
        as_zip(zipped(), "main")

    assert set(refusal.value.fields) == {"ref"}


@pytest.mark.parametrize("way", ["page", "API"])
def test_a_bundle_is_sent_with_a_ref(
    project, data_scientist, client_of, api_of, repository, way
):
    code.allow(project)
    commit = repository.commit(repository.project(), branch="other")
    data = repository.bundle("other").getvalue()
    file = SimpleUploadedFile("project.bundle", data)
    form = form_of(project, data_scientist, code=file, ref="other")
    name, client = {
        "page": ("training:launch_code", client_of(data_scientist)),
        "API": ("v1:code_jobs", api_of(data_scientist)),
    }[way]

    answer = client.post(reverse(name, args=[project.slug]), form)

    assert answer.status_code == {"page": 302, "API": 202}[way]
    assert CodeJob.objects.get().commit_id == commit
