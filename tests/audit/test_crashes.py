"""The short form of tests/crash/test_crashes.py."""

import pytest

from tests.audit.crashing import Trail


@pytest.fixture
def trail(django_db_blocker):
    with Trail.apart(django_db_blocker.unblock) as trail:
        yield trail


def test_a_crash_of_sealer_and_server_loses_doubles_and_contradicts_nothing(trail):
    trail.live_and_crash(kills=2)
    outcome = trail.finish()

    outcome.require_sound()
    assert outcome.acknowledged
