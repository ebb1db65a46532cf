import json
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.audit.models import StreamPosition
from apps.audit.renderings import RENDERINGS
from tests.audit.sealing import happen
from tests.costs import queries_of
from tests.trail import nothing_recorded, one_event

STREAM = "/api/v1/audit/stream"


@pytest.fixture
def siem(seal, world, api_of):
    """A program that pulls for an auditor; everything until now is sealed."""
    program = api_of(world.auditor, "read")
    seal()
    return program


def lines_of(answer) -> list[dict]:
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.getvalue().splitlines()]


def test_pulling_leads_through_the_whole_sealed_trail(siem):
    after, seen = "-1", []
    while True:
        answer = siem.get(STREAM, {"after": after, "limit": 5})
        records = lines_of(answer)
        if not records:
            break
        seen += [record["leaf_index"] for record in records]
        after = answer["X-Next-After"]

    assert seen == list(range(len(seen)))
    assert len(seen) > 5
    assert answer["X-Next-After"] == str(seen[-1])
    assert answer["Content-Type"] == "application/x-ndjson"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", RENDERINGS)
def test_pulling_gives_the_rendering_that_was_asked_for(siem, name):
    [record] = lines_of(siem.get(STREAM, {"limit": 1, "format": name}))

    expected = {
        "plain": "body",
        "ocsf": "class_uid",
        "ecs": "@timestamp",
        "cloudevents": "specversion",
    }
    assert expected[name] in record


def test_pulling_what_is_not_sealed_yet_gives_nothing(siem):
    happen(3)

    answer = siem.get(STREAM, {"after": 10**9})

    assert lines_of(answer) == []
    assert answer["X-Next-After"] == str(10**9)


@pytest.mark.parametrize("person", ["program_manager", "administrator", "validator"])
def test_pulling_is_refused_to_whoever_may_not_export_everything(
    siem, world, api_of, person
):
    program = api_of(getattr(world, person))

    with one_event("access.refused"):
        answer = program.get(STREAM)

    assert answer.status_code == 403
    assert answer.json()["message"] == "Only an auditor can pull the whole audit trail."


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "soon"}, "after"),
        ({"after": -2}, "after"),
        ({"after": 2**60}, "after"),
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"format": "xml"}, "format"),
    ],
)
def test_a_bad_pull_is_invalid(siem, query, field):
    with nothing_recorded():
        answer = siem.get(STREAM, query)

    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == [field]


def test_only_the_beginning_of_pulling_is_an_event(siem, seal, world):
    with one_event("audit.streamed") as events:
        siem.get(STREAM, {"after": 1, "limit": 2, "format": "ocsf"})
        siem.get(STREAM, {"after": 3, "limit": 2})
    seal()

    with nothing_recorded():
        siem.get(STREAM, {"after": 1})
    assert events[0].changes == {"first_index": 2, "format": "ocsf"}
    assert events[0].actor_id == world.auditor.pk
    assert events[0].channel == "api"


def test_pulling_from_farther_back_is_an_event_again(siem):
    siem.get(STREAM, {"after": 4, "limit": 2})

    with one_event("audit.streamed"):
        siem.get(STREAM, {"after": 3, "limit": 2})


def test_pulling_is_an_event_again_after_an_hour(siem):
    with time_machine.travel(timezone.now() - timedelta(hours=1, seconds=1)):
        siem.get(STREAM)

    with one_event("audit.streamed"):
        siem.get(STREAM)


def test_pulling_nothing_is_no_event(siem):
    with nothing_recorded():
        siem.get(STREAM, {"after": 10**9})


def test_pulling_costs_the_same_whatever_the_limit(siem):
    few = queries_of(siem, f"{STREAM}?limit=1")

    assert queries_of(siem, f"{STREAM}?limit=1000") == few


def move(name: str, index: int, by: str, reason: str = "The index was lost.") -> None:
    call_command(
        "move_audit_stream",
        name,
        *("--from", str(index), "--by", by, "--reason", reason),
    )


def test_move_audit_stream_is_an_event_and_sends_again_from_there(
    siem, streams, world, tmp_path
):
    file = tmp_path / "trail.jsonl"
    streams(f"file://{file}?name=siem")
    call_command("stream_audit_trail", "--once")
    everything = file.read_text().splitlines()

    with one_event("audit.stream_moved") as events:
        move("siem", len(everything) - 2, world.administrator.email)
    call_command("stream_audit_trail", "--once")

    assert file.read_text().splitlines() == everything + everything[-2:]
    assert events[0].changes == {"next_index": [len(everything), len(everything) - 2]}
    assert events[0].reason == "The index was lost."
    assert events[0].target_label == "siem"


def test_move_audit_stream_lets_a_new_target_begin_later(siem, streams, world):
    streams("file:///none/trail?name=siem")

    move("siem", 3, world.administrator.email)

    assert StreamPosition.objects.get(name="siem").next_index == 3


@pytest.mark.parametrize(
    ("person", "name", "index", "reason", "sentence"),
    [
        ("auditor", "siem", 0, "why", "Only an administrator can move a stream"),
        ("nobody", "siem", 0, "why", "does not exist"),
        ("administrator", "other", 0, "why", "no target called other"),
        ("administrator", "siem", 10**6, "why", "can go on from leaf 0 to"),
        ("administrator", "siem", -1, "why", "can go on from leaf 0 to"),
        ("administrator", "siem", 0, " ", "Say why it is moved"),
    ],
)
def test_move_audit_stream_refuses(
    siem, streams, world, person, name, index, reason, sentence
):
    streams("file:///none/trail?name=siem")
    found = getattr(world, person, None)
    address = found.email if found else "nobody@agency.example"

    with nothing_recorded(), pytest.raises(CommandError, match=sentence):
        move(name, index, address, reason)
