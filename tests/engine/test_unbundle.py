"""Making a zip of a git bundle, without a sandbox around it."""

import os
import zipfile

import pytest

from tests.factories.bundles import Repository

SPEC = {"max_files": 10, "max_bytes": 10_000}
HOOKS = ("post-checkout", "pre-receive", "reference-transaction", "post-index-change")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")


def put(job, content) -> None:
    (job.path / "tmp").mkdir(exist_ok=True)
    (job.inputs / "project.bundle").write_bytes(content.getvalue())


def test_unbundle_writes_the_files_of_a_commit(job, repository):
    commit = repository.commit(repository.project(empty="", data=b"\0\n\xff"))
    put(job, repository.bundle())

    result = job.succeed("unbundle", SPEC)

    assert (result["commit"], result["ref"]) == (commit, "HEAD")
    with zipfile.ZipFile(job.outputs / "project.zip") as archive:
        assert archive.read("data") == b"\0\n\xff"
        assert archive.read("empty") == b""
        assert "def main" in archive.read("train.py").decode()


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [({"max_files": 1}, "more than 1 files"), ({"max_bytes": 9}, "larger than")],
)
def test_unbundle_keeps_to_its_limits(job, repository, limit, sentence):
    repository.commit(repository.project())
    put(job, repository.bundle())

    assert sentence in job.refuse("unbundle", SPEC | limit)["message"]


def test_unbundle_says_when_there_is_no_git(job, repository, monkeypatch):
    repository.commit(repository.project())
    put(job, repository.bundle())
    monkeypatch.setenv("PATH", str(job.path))

    assert "its host has no git" in job.refuse("unbundle", SPEC)["message"]


def test_unbundle_obeys_no_settings_and_no_hooks(job, repository, monkeypatch):
    """Neither those of the host, of the home folder, nor of the surroundings."""
    home, ran = job.path / "tmp", job.path / "ran"
    hooks = job.path / "hooks"
    hooks.mkdir()
    for name in HOOKS:
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / name).chmod(0o755)
    home.mkdir()
    settings = f"[core]\n\thooksPath = {hooks}\n\tfsmonitor = touch {ran}\n"
    settings += f"[alias]\n\tinit = !touch {ran}\n[init]\n\ttemplateDir = {job.path}\n"
    for name in (".gitconfig", "gitconfig"):
        (home / name).write_text(settings)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_EXEC_PATH", str(hooks))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", os.devnull)
    repository.commit(repository.project(**{".gitmodules": "", "config": settings}))
    put(job, repository.bundle())

    job.succeed("unbundle", SPEC)

    assert not ran.exists()
