"""The loop around the sealer: inspect in between, and never at its cost."""

import subprocess
import sys
import time

import pytest

from apps.audit.management.commands import seal_audit_trail as command


def pieces(seconds):
    while True:
        time.sleep(seconds)
        yield


def test_the_inspection_rests_nine_times_as_long_as_it_worked():
    inspection = pieces(0.05)
    began = time.monotonic()

    rested = command.inspect_a_piece(inspection, began)
    at_rest = command.inspect_a_piece(inspection, rested)

    assert at_rest == rested
    assert rested - began > 0.05 * (1 + command.REST)


def test_the_inspection_goes_on_after_its_rest():
    inspection = pieces(0.01)

    rested = command.inspect_a_piece(inspection, time.monotonic())
    time.sleep(max(0, rested - time.monotonic()))

    assert command.inspect_a_piece(inspection, rested) > rested


@pytest.mark.parametrize(
    ("spent", "shortest", "pause"),
    [
        (0.001, 0.25, 0.25),
        (0.05, 0.25, 0.45),
        (0.2, 0.25, command.LONGEST_REST),
        (0.2, 5, 5),
    ],
)
def test_passes_that_take_long_come_less_often(spent, shortest, pause):
    assert command.pause_after(spent, shortest) == pytest.approx(pause)


def test_the_sealer_loads_nothing_that_only_others_need():
    asked = (
        "import django, sys; django.setup();"
        f"import {command.__name__};"
        "print(*(name for name in sys.modules if name.endswith('.tasks')))"
    )

    loaded = subprocess.check_output([sys.executable, "-c", asked], text=True).split()

    assert [name for name in loaded if name.startswith("apps.")] == []
