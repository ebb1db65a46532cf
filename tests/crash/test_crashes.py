"""The long form of tests/audit/test_crashes.py: `make test-crash`, several minutes."""

import sys

from tests.audit.crashing import Trail

LIVES, KILLS = 10, 20  # of the server; of the sealer in each


def test_kills_and_stops_under_load_lose_double_and_contradict_nothing(
    django_db_blocker, capsys
):
    with Trail.apart(django_db_blocker.unblock) as trail:
        for _ in range(LIVES):
            trail.live_and_crash(kills=KILLS)
        outcome = trail.finish()

    outcome.require_sound()
    with capsys.disabled():
        sys.stdout.write(
            f"\n{LIVES * KILLS} kills of the sealer and {LIVES} immediate stops of the "
            f"database: {len(outcome.acknowledged)} acknowledged events of "
            f"{outcome.total}, {len(outcome.notes)} published checkpoints; "
            "0 lost, 0 doubled, 0 inconsistent.\n"
        )
