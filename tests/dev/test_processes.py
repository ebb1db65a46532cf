import signal
import sys
import time

import pytest

from tests.dev.conftest import wait_until_gone

SUPERVISOR = """
import os, sys
from pathlib import Path
from dev.problem import run_command
from dev.processes import Group, Stopped, stopping_on_signals

MARK, BODY = sys.argv[1:]
SLEEPER = "import sys, time; print('up', sys.argv[1], flush=True); time.sleep(60)"

def main():
    try:
        env, here = dict(os.environ), Path.cwd()
        with stopping_on_signals(), Group(env=env, cwd=here) as group:
            def sleeper(name):
                group.start(name, [sys.executable, "-c", SLEEPER, MARK])
            exec(BODY)
    except Stopped as stopped:
        return stopped.exit_code
    return 0

run_command(main)
"""
TWO_SLEEPERS = "sleeper('web'); sleeper('worker'); group.wait()"


@pytest.fixture
def mark(tmp_path):
    return f"mark-{tmp_path.name}-{time.monotonic_ns()}"


@pytest.fixture
def supervise(start, mark):
    return lambda body: start("-c", SUPERVISOR, mark, body)


def read_lines(process, count):
    return [process.stdout.readline().rstrip() for _ in range(count)]


def test_lines_carry_the_name_of_their_process(supervise, mark):
    process = supervise(TWO_SLEEPERS)

    lines = read_lines(process, 2)

    assert sorted(lines) == [f"web     | up {mark}", f"worker  | up {mark}"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_whole_group(supervise, mark, signum):
    process = supervise(TWO_SLEEPERS)
    read_lines(process, 2)

    process.send_signal(signum)
    code = process.wait(timeout=10)

    assert code == 128 + signum
    assert wait_until_gone(mark, seconds=0) == []


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells of a parent's death"
)
def test_a_killed_supervisor_leaves_nothing(supervise, mark):
    process = supervise(TWO_SLEEPERS)
    read_lines(process, 2)

    process.kill()

    assert wait_until_gone(mark) == []


def test_a_grandchild_ends_with_its_parent(supervise, mark):
    parent = ["sh", "-c", f"sh -c 'sleep 60; : {mark}' & echo up; wait"]
    process = supervise(f"group.start('web', {parent}); group.wait()")
    read_lines(process, 1)

    process.send_signal(signal.SIGINT)
    process.wait(timeout=10)

    assert wait_until_gone(mark) == []


def test_a_process_that_ends_by_itself_ends_the_group_with_a_sentence(supervise, mark):
    process = supervise(
        "sleeper('web'); group.start('beat', ['sh', '-c', 'exit 3']); group.wait()"
    )

    _, errors = process.communicate(timeout=10)

    assert process.returncode == 1
    assert "beat stopped by itself (exit code 3)" in errors
    assert "Traceback" not in errors
    assert wait_until_gone(mark, seconds=0) == []


def test_a_step_that_fails_is_told_with_its_lines(supervise, mark):
    process = supervise(
        "sleeper('web'); group.run('seed', ['sh', '-c', 'echo why; exit 4'])"
    )

    output, errors = process.communicate(timeout=10)

    assert "seed    | why" in output
    assert "seed failed with exit code 4" in errors
    assert wait_until_gone(mark, seconds=0) == []


def test_a_step_that_succeeds_lets_the_rest_run(supervise):
    process = supervise("group.run('seed', ['echo', 'done'])")

    output, _ = process.communicate(timeout=10)

    assert output == "seed    | done\n"
    assert process.returncode == 0
