"""The zip of somebody's own project, good and hostile."""

import io
import stat
import zipfile

import pytest

from apps.core.errors import Invalid
from apps.training import code_projects
from apps.training.code_projects import read_project
from tests.factories.code import MAIN, YAML, zipped

LOCK = "numpy==2.0.0 \\\n    --hash=sha256:00\n# a comment\n\nscikit-learn==1.9.1\n"


def test_read_project_takes_entry_and_lock():
    content = zipped(
        **{
            "project.yaml": "entry: a.b:c\nrequirements: lock.txt",
            "lock.txt": LOCK,
            "a/b.py": "",
        }
    )

    project = read_project(content)

    assert project.entry == "a.b:c"
    assert project.requirements == {"numpy": "2.0.0", "scikit-learn": "1.9.1"}


def test_tree_digest_is_over_what_is_in_it():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.mkdir("empty")
        archive.writestr("train.py", MAIN)
        archive.writestr("project.yaml", YAML)

    same = read_project(packed).tree_digest == read_project(zipped()).tree_digest
    other = read_project(zipped(**{"train.py": MAIN + "#"})).tree_digest

    assert same
    assert other != read_project(zipped()).tree_digest


def with_entry(name="x.py", **changes) -> io.BytesIO:
    """A zip with one strange entry among the others."""
    content = zipped()
    entry = zipfile.ZipInfo(name)
    entry.compress_type = changes.pop("compress_type", zipfile.ZIP_DEFLATED)
    for key, value in changes.items():
        setattr(entry, key, value)
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr(entry, "x")
    return content


def encrypted() -> io.BytesIO:
    data = bytearray(with_entry("secret.py").getvalue())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return io.BytesIO(bytes(data))


def misnamed():
    """A zip that calls a name UTF-8 which is none."""
    data = with_entry("\N{LATIN SMALL LETTER E WITH ACUTE}.py").getvalue()
    return io.BytesIO(
        data.replace("\N{LATIN SMALL LETTER E WITH ACUTE}".encode(), b"\xff" * 2)
    )


def before_the_beginning():
    """A zip whose table claims to stand later than it does, files before byte 0."""
    data = bytearray(zipped().getvalue())
    place = data.rindex(b"PK\x05\x06") + 16
    data[place + 2] = 1
    return io.BytesIO(bytes(data))


HOSTILE = {
    "misnamed": (misnamed, "not a zip"),
    "before the beginning": (before_the_beginning, "not a zip"),
    "an escape that is too large": (
        lambda: zipped(**{"project.yaml": 'entry: "\\UFFFFFFFF"'}),
        "is not plain YAML",
    ),
    "not a zip": (lambda: io.BytesIO(b"GIF89a" * 20), "not a zip"),
    "empty": (lambda: io.BytesIO(b""), "not a zip"),
    "cut": (lambda: io.BytesIO(zipped().getvalue()[:-30]), "not a zip"),
    "above": (lambda: with_entry("../x.py"), "leads out of the zip"),
    "below and above": (lambda: with_entry("a/../../x.py"), "leads out of the zip"),
    "absolute": (lambda: with_entry("/etc/x.py"), "leads out of the zip"),
    "backslash": (lambda: with_entry("..\\x.py"), "leads out of the zip"),
    "control": (lambda: with_entry("x\n.py"), "leads out of the zip"),
    "long name": (lambda: with_entry("x" * 300), "does not belong"),
    "link": (
        lambda: with_entry(external_attr=(stat.S_IFLNK | 0o777) << 16),
        "is a link or a device",
    ),
    "device": (
        lambda: with_entry(external_attr=(stat.S_IFBLK | 0o777) << 16),
        "is a link or a device",
    ),
    "nested": (lambda: with_entry("inner.zip"), "archive within"),
    "wheel": (lambda: with_entry("inner.WHL"), "archive within"),
    "packed": (
        lambda: with_entry(compress_type=zipfile.ZIP_LZMA),
        "packed in a way",
    ),
    "encrypted": (encrypted, "is encrypted"),
    "twice": (lambda: with_entry("TRAIN.py"), "twice"),
    "a file that is a folder": (lambda: with_entry("train.py/x"), "file and a folder"),
    "bomb": (lambda: zipped(bomb=bytes(60 * 1024**2)), "has 60 MB"),
    "many": (
        lambda: zipped({f"f{n}.py": "" for n in range(501)}),
        "holds 503 files",
    ),
    "no project": (lambda: zipped(**{"project.yaml": None}), "no project.yaml"),
    "no entry": (lambda: zipped(**{"project.yaml": "a: b"}), "must say entry"),
    "a list": (lambda: zipped(**{"project.yaml": "- a"}), "must say entry"),
    "no YAML": (lambda: zipped(**{"project.yaml": "a: [b"}), "is not plain YAML"),
    "an object": (
        lambda: zipped(**{"project.yaml": "!!python/object/apply:os.abort []"}),
        "is not plain YAML",
    ),
    "aliases that grow": (
        lambda: zipped(
            **{
                "project.yaml": "a0: &a0 [x]\n"
                + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(40))
                + "entry: *a40\n"
            }
        ),
        "aliases",
    ),
    "an entry that is a list": (
        lambda: zipped(**{"project.yaml": "entry: [train, main]"}),
        "entry must be text",
    ),
    "unknown": (
        lambda: zipped(**{"project.yaml": YAML + "build: make"}),
        "says build",
    ),
    "binary": (lambda: zipped(**{"project.yaml": b"\xff\xfe"}), "is not text"),
    "too long": (lambda: zipped(**{"project.yaml": "#" * 70_000}), "too long"),
    "no lock": (
        lambda: zipped(**{"project.yaml": YAML + "requirements: r.txt"}),
        "no r.txt",
    ),
    "unlocked": (
        lambda: zipped(
            **{"project.yaml": YAML + "requirements: r.txt", "r.txt": "numpy>=2"}
        ),
        "line 1: 'numpy>=2' is not locked",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_read_project_refuses(kind):
    make, sentence = HOSTILE[kind]

    with pytest.raises(Invalid, match=sentence) as refusal:
        read_project(make())

    assert "code" in refusal.value.fields


def test_read_project_refuses_a_large_file(monkeypatch):
    monkeypatch.setattr(code_projects, "MAX_ZIP_BYTES", 100)

    with pytest.raises(Invalid, match="larger than"):
        read_project(zipped())
