"""A look at pickles that never runs them."""

import io
import os
import pickle
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.registry import pickles
from apps.registry.pickles import find_pickles, has_pickle_name
from tests.factories import experiments as factory

MADE = "/tmp/made-by-a-pickle"  # noqa: S108  # never made


class Spy:
    """Would make a folder when it is read."""

    def __reduce__(self):
        return os.mkdir, (MADE,)


def looked(path: str, content: bytes) -> list[dict]:
    file = factory.artifact(path, content)
    return find_pickles([{"path": path, "sha256": file.blob.sha256}])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_a_pickle_imports_is_found_and_not_run(db, protocol):
    found = looked("model.pkl", pickle.dumps([Spy(), Spy()], protocol=protocol))

    assert found == [
        {"path": "model.pkl", "imports": ["posix.mkdir"], "looked_at_all": True}
    ]
    assert not os.path.exists(MADE)


def test_a_pickle_is_known_by_its_first_bytes(db):
    assert looked("weights.bin", pickle.dumps(Spy()))
    assert looked("notes.txt", b"a text") == []


def test_pickles_inside_of_a_zip_are_looked_at(db):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data.pkl", pickle.dumps(Spy()))
        archive.writestr("model/data/0", b"numbers")

    assert looked("model.pt", packed.getvalue())[0]["imports"] == ["posix.mkdir"]


def test_a_long_pickle_is_followed_for_a_while(db, monkeypatch):
    monkeypatch.setattr(pickles, "MOST_OPCODES", 10)

    (found,) = looked("model.pkl", pickle.dumps(list(range(100))))

    assert found["looked_at_all"] is False


@pytest.mark.parametrize("name", ["a.PKL", "a.pkl.gz", "x/a.joblib", "a.pt"])
def test_names_of_pickles(name):
    assert has_pickle_name(name)
    assert not has_pickle_name(f"{name}/a.txt")


@given(content=st.binary(max_size=300))
def test_whatever_a_file_holds_it_is_followed(content):
    for start in (b"", b"\x80\x04", b"PK\x03\x04"):
        file = io.BytesIO(start + content)
        names, _ = pickles.imports_of(file, is_zip=start.startswith(b"PK"))

        assert all(name.isprintable() for name in names)
