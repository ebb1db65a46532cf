import os

import pytest

from dev import test as command
from dev.problem import ROOT


@pytest.fixture
def steps(monkeypatch):
    """Replace the real steps by ones that only succeed or fail."""

    def replace(**parts):
        for name, outcomes in parts.items():
            monkeypatch.setattr(command, name, outcomes)

    return replace


def test_run_parts_runs_every_check_and_stops_before_the_next_part(steps, capsys):
    steps(CHECKS={"lint": "false", "types": "true"}, UNIT_TESTS={"tests": "true"})

    code = command.run_parts(["check", "tests"], dict(os.environ))

    *_, lint, types = capsys.readouterr().out.rstrip().splitlines()
    assert code == 1
    assert lint.startswith("FAILED lint ")
    assert types.startswith("ok     types ")


def test_run_parts_goes_through_all_parts_while_they_pass(steps, capsys):
    steps(CHECKS={"lint": "true"}, UNIT_TESTS={"tests": "true"})

    code = command.run_parts(["check", "tests"], dict(os.environ))

    assert code == 0
    assert capsys.readouterr().out.count("\nok ") == 2


@pytest.mark.parametrize(
    ("asked", "run"),
    [
        (["check"], ["check"]),
        (["browser"], ["database", "browser"]),
        (["check", "tests", "browser"], ["check", "database", "tests", "browser"]),
    ],
)
def test_with_database_migrates_once_before_the_first_test(asked, run):
    assert command.with_database(asked) == run


def test_browser_tests_without_a_browser_fail_and_are_never_skipped(start):
    process = start("-m", "dev.test", "browser", PATH="")

    _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "Cannot go on: The browser test needs chromium. Install it" in errors


def test_find_chromium_takes_what_is_on_the_path(monkeypatch, tmp_path):
    browser = tmp_path / "google-chrome"
    browser.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert command.find_chromium() == str(browser)


def test_pinned_packages_contain_one_another():
    def pins(name):
        lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
        return {line.split()[0] for line in lines if "==" in line}

    assert pins("base") <= pins("production")
    assert pins("base") <= pins("demo") <= pins("dev")


@pytest.mark.parametrize("name", ["base", "production", "demo", "dev"])
def test_pinned_packages_have_hashes_and_name_no_index(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    packages = text.count("==")

    assert packages > 50
    assert text.count("--hash=sha256:") >= packages
    assert "://" not in text
