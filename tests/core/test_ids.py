import time_machine

from apps.core.ids import new_id


def test_new_id_is_a_uuid_of_version_7():
    made = new_id()

    assert made.version == 7
    assert made.variant == "specified in RFC 4122"


def test_new_id_carries_the_time_in_milliseconds():
    with time_machine.travel("2026-05-04T03:02:01.234Z", tick=False):
        made = new_id()

    assert made.int >> 80 == 1_777_863_721_234


def test_later_ids_sort_after_earlier_ones():
    with time_machine.travel("2026-05-04T00:00:00Z", tick=False) as clock:
        made = []
        for _ in range(50):
            made.append(new_id())
            clock.shift(0.001)

    assert made == sorted(made)
    assert [str(one) for one in made] == sorted(str(one) for one in made)


def test_ids_of_one_millisecond_differ():
    with time_machine.travel("2026-05-04T00:00:00Z", tick=False):
        made = {new_id() for _ in range(2000)}

    assert len(made) == 2000
