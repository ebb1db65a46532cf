from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from apps.audit.models import Checkpoint, Leaf, StreamPosition
from apps.audit.status import health, trail_status
from apps.audit.streaming import delivery, lag
from apps.audit.streaming.delivery import Pace, deliver_next
from apps.audit.streaming.senders import NotDelivered
from apps.audit.streaming.source import covered_size, sealed_entries
from apps.audit.streaming.targets import target_of
from apps.audit.transparency.tree import leaf_hash
from tests.audit.sealing import happen, tampering
from tests.audit.streaming.collectors import http_collector
from tests.trail import nothing_recorded


@pytest.fixture
def collector():
    with http_collector() as found:
        yield found


@pytest.fixture
def target(collector):
    return target_of(f"http://127.0.0.1:{collector.port}/?name=siem&batch=2")


def position() -> StreamPosition:
    return StreamPosition.objects.get(name="siem")


def test_only_what_a_checkpoint_covers_is_sent_in_the_order_of_the_tree(
    seal, collector, target
):
    happen(3)
    seal()
    happen(2)

    with nothing_recorded():
        delivered = [deliver_next(target) for _ in range(3)]

    assert delivered == [2, 1, 0]
    assert collector.indexes == [0, 1, 2]
    leaves = Leaf.objects.order_by("leaf_index").values_list("event__body", flat=True)
    hashes = [leaf_hash(text.encode()).hex() for text in leaves]
    assert [record["leaf_hash"] for record in collector.records] == hashes
    assert position().next_index == covered_size() == 3


def test_nothing_is_sent_before_anything_is_sealed(committed, collector, target):
    happen(1)

    assert deliver_next(target) == 0
    assert collector.requests == []


def test_a_failed_batch_is_sent_again_and_nothing_is_left_out(seal, collector, target):
    happen(3)
    seal()
    collector.answers = [503, "drop"]

    for _ in range(2):
        with pytest.raises(NotDelivered):
            deliver_next(target)
    while deliver_next(target):
        pass

    assert collector.indexes == [0, 1, 2]


def test_an_event_that_is_gone_is_told_and_does_not_stop_the_stream(
    seal, collector, target
):
    events = happen(3)
    seal()
    with tampering() as superuser:
        superuser.execute("DELETE FROM audit_auditevent WHERE id = %s", [events[1].pk])

    while deliver_next(target):
        pass

    assert collector.indexes == [0, 1, 2]
    assert [record.get("is_missing") for record in collector.records] == [
        None,
        True,
        None,
    ]


def test_a_batch_ends_where_it_would_become_large(seal):
    happen(4, reason="r" * 10_000)
    seal()

    entries = sealed_entries(0, count=4, max_bytes=15_000)

    assert [entry.leaf_index for entry in entries] == [0, 1]


def test_an_event_larger_than_a_batch_is_sent_alone(seal):
    happen(2, reason="r" * 10_000)
    seal()

    assert len(sealed_entries(1, count=9, max_bytes=1)) == 1


def test_a_position_that_was_moved_meanwhile_stays_where_it_was_moved(db):
    before = StreamPosition.objects.of("siem")
    StreamPosition.objects.filter(name="siem").update(next_index=7)

    assert not StreamPosition.objects.note_delivery(before, 500)
    assert position().next_index == 7


def test_pauses_double_up_to_the_longest():
    pace = Pace(longest_pause=60)

    assert [pace.after(failures) for failures in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert pace.after(7) == pace.after(10_000) == 60


def test_a_failure_is_kept_logged_once_and_forgotten_after_a_success(
    seal, collector, target, caplog
):
    happen(1)
    seal()
    collector.answers = [503, 503]

    steps = [delivery._step(target, Pace(seconds=9), failures) for failures in (0, 1)]
    failed = position()
    recovered = delivery._step(target, Pace(seconds=9), 2)

    assert steps == [(1, 1.0), (2, 2.0)]
    assert (failed.failures, failed.last_error) == (2, "It answered 503.")
    assert recovered == (0, 0.0)
    assert (position().failures, position().last_error) == (0, "")
    assert caplog.text.count("does not get on") == 1
    assert "goes on" in caplog.text
    assert delivery._step(target, Pace(seconds=9), 0) == (0, 9)


def test_an_error_of_the_portal_is_a_failure_like_any_other(seal, target):
    happen(1)
    seal()
    broken = replace(target, rendering="unheard_of")

    failures, seconds = delivery._step(broken, Pace(), 0)

    assert (failures, seconds) == (1, 1.0)
    assert position().last_error == "An error of the portal itself: KeyError"


def test_stream_audit_trail_sends_everything_to_each_target_once(
    seal, collector, streams, tmp_path
):
    happen(5)
    seal()
    streams(
        f"http://127.0.0.1:{collector.port}/?name=siem&batch=2",
        f"file://{tmp_path}/trail.jsonl?format=ocsf",
    )

    call_command("stream_audit_trail", "--once")
    call_command("stream_audit_trail", "--once")

    assert collector.indexes == [0, 1, 2, 3, 4]
    assert len((tmp_path / "trail.jsonl").read_text().splitlines()) == 5


def test_stream_audit_trail_goes_on_with_others_when_one_is_down(
    seal, collector, streams, tmp_path
):
    happen(2)
    seal()
    collector.answers = [503]
    streams(
        f"http://127.0.0.1:{collector.port}/?name=siem",
        f"file://{tmp_path}/trail.jsonl",
    )

    with pytest.raises(CommandError, match="siem: It answered 503"):
        call_command("stream_audit_trail", "--once")

    assert len((tmp_path / "trail.jsonl").read_text().splitlines()) == 2
    assert position().failures == 1


@pytest.mark.parametrize(
    ("urls", "sentence"),
    [([], "names no target"), (["gopher://x"], "must begin with one of")],
)
def test_stream_audit_trail_needs_a_target(db, streams, urls, sentence):
    streams(*urls)

    with pytest.raises(CommandError, match=sentence):
        call_command("stream_audit_trail", "--once")


def test_lag_is_counted_for_each_target(seal, collector, streams, target, capsys):
    happen(3)
    seal()
    streams(f"http://127.0.0.1:{collector.port}/?name=siem", "file:///none/new")
    deliver_next(target)

    [siem, new] = trail_status().streams

    assert (siem.name, siem.next_index, siem.waiting) == ("siem", 2, 1)
    assert siem.delivered_at
    assert siem.since == Checkpoint.objects.get().created_at
    assert (new.name, new.waiting, new.delivered_at) == ("file:///none/new", 3, None)
    assert not siem.is_late
    call_command("stream_audit_trail", "--status")
    assert "The stream to siem is 1 events behind" in capsys.readouterr().out


def test_a_stream_without_lag_has_sent_everything(seal, collector, streams, target):
    happen(2)
    seal()
    streams(f"http://127.0.0.1:{collector.port}/?name=siem")
    deliver_next(target)

    [siem] = trail_status().streams

    assert (siem.waiting, siem.since) == (0, None)
    assert str(siem) == "The stream to siem has sent everything."


def test_a_late_stream_makes_the_health_late_without_naming_it(
    seal, streams, monkeypatch
):
    happen(1)
    seal()
    streams("file:///none/new")
    assert health() == "ok"

    monkeypatch.setattr(lag, "LATE", timedelta(seconds=-1))

    assert health() == "late"
    assert trail_status().problem.startswith("Sealed events have waited")
    assert "none/new" not in trail_status().problem
    with pytest.raises(CommandError, match="1 system outside"):
        call_command("stream_audit_trail", "--status")


def test_targets_that_cannot_be_read_make_the_health_late(seal, streams):
    happen(1)
    seal()
    streams("gopher://x")

    assert health() == "late"
    assert trail_status().streams == []


def test_the_page_shows_lag_to_those_who_may_know(
    seal, streams, world, client_of, collector, target
):
    seal()
    collector.answers = [503]
    with pytest.raises(NotDelivered):
        deliver_next(target)
    delivery.tell_failure(target, "It answered 503.")
    streams(f"http://127.0.0.1:{collector.port}/?name=siem", "file:///none/new")

    told = client_of(world.auditor).get("/audit/").content.decode()
    untold = client_of(world.validator).get("/audit/").content.decode()

    assert "Stream to siem" in told
    assert "1 failed try: It answered 503." in told
    assert "The last try failed: It answered 503." in str(trail_status().streams[0])
    assert "Stream to" not in untold


def test_a_stream_costs_the_same_queries_however_long_the_trail(
    seal, target, django_assert_num_queries
):
    happen(4)
    seal()
    deliver_next(target)

    with django_assert_num_queries(4):  # position, size, entries, position
        deliver_next(target)
