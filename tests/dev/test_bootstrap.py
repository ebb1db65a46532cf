import ast
import subprocess
import sys

import pytest

from dev import bootstrap
from dev.problem import ROOT, Problem, install_system_package, require_disk


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """An otherwise empty PATH, and a function that puts a script on it."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def add(name, script):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return str(program)

    return add


def test_find_python_passes_over_old_and_broken_ones(programs):
    programs("python3.11", "exit 127")
    programs("python3.12", "echo 3 9")
    fitting = programs("python3", "echo 3 13")

    assert bootstrap.find_python() == fitting


def test_find_python_names_the_fix_when_all_are_too_old(programs):
    programs("python3", "echo 3 9")

    with pytest.raises(Problem, match=r"No Python 3\.11 or newer .* apt-get install"):
        bootstrap.find_python()


def test_npm_program_prefers_the_one_on_the_path(programs):
    npm = programs("npm", "")

    assert bootstrap.npm_program() == npm


def test_npm_program_falls_back_to_the_virtual_environment(programs):
    found = bootstrap.npm_program()

    assert found == str(bootstrap.VENV / "bin" / "npm")
    assert subprocess.run([found, "--version"], check=True).returncode == 0


def test_npm_program_names_the_fix_when_there_is_none(programs, tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / "no-venv")

    with pytest.raises(Problem, match="apt-get install npm"):
        bootstrap.npm_program()


def test_a_finished_installation_is_not_repeated(start):
    process = start("-m", "dev.bootstrap", "dev")

    output, errors = process.communicate(timeout=60)

    assert (process.returncode, output, errors) == (0, "", "")


def test_compile_packages_passes_over_what_no_python_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "good.py").write_text("a = 1")
    (tmp_path / "lib" / "old.py").write_text("print 1")

    bootstrap.compile_packages()

    compiled = (tmp_path / "lib" / "__pycache__").iterdir()
    assert [path.name.partition(".")[0] for path in compiled] == ["good"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("ENOSPC: no space", "The disk is full"),
        ("No space left on device", "The disk is full"),
        ("cannot resolve host", "check the network"),
    ],
)
def test_a_failed_installation_says_why(words, sentence):
    script = f"import sys; sys.exit({words!r})"

    with pytest.raises(Problem, match=sentence):
        bootstrap.run_or_explain([sys.executable, "-c", script], "check the network")


def test_stamp_follows_the_lock_file(tmp_path):
    stamp, lock = tmp_path / "stamp", tmp_path / "lock"
    lock.write_text("a==1")
    assert not bootstrap.is_done(stamp, lock)

    bootstrap.mark_done(stamp, lock)
    assert bootstrap.is_done(stamp, lock)

    lock.write_text("a==2")
    assert not bootstrap.is_done(stamp, lock)


def test_require_disk_names_room_and_need():
    with pytest.raises(Problem, match=r"GB free, about 1e\+09 GB needed"):
        require_disk(ROOT, 1e9)


def test_install_system_package_names_the_fix_when_it_must_ask(programs):
    with pytest.raises(Problem, match="The browser test needs chromium"):
        install_system_package("chromium", needed_for="The browser test")


@pytest.mark.parametrize("name", ["bootstrap", "problem"])
def test_bootstrap_is_understood_by_old_pythons_so_that_they_can_say_no(name):
    source = (ROOT / "dev" / f"{name}.py").read_text()

    ast.parse(source, feature_version=(3, 7))
    assert "from __future__ import annotations" in source
