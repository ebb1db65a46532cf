import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from apps.audit.body import canonical
from apps.audit.event_types import EventType
from apps.audit.renderings import RENDERINGS, line_of
from apps.audit.renderings.entry import Entry
from apps.audit.renderings.places import OTHER, PLACES, place_of
from apps.audit.transparency.tree import leaf_hash
from tests.audit.renderings.samples import JANE, ORIGIN, SAM, SAMPLES, body, entry

GOLDEN = Path(__file__).parent / "golden"
GOLDEN_FILES = {
    "plain": "plain-1.json",
    "ocsf": "ocsf-1.8.0.json",
    "ecs": "ecs-9.4.0.json",
    "cloudevents": "cloudevents-1.0.json",
}
# What release 1.8.0 of the schema requires: of every event, and of each class.
OCSF_BASE = {
    "activity_id",
    "category_uid",
    "class_uid",
    "metadata",
    "severity_id",
    "time",
    "type_uid",
}
OCSF_REQUIRED = {
    0: set(),
    3001: {"user"},
    3002: {"user", "service"},
    3004: {"entity"},
    3005: {"user", "privileges"},
    6003: {"actor", "api", "src_endpoint"},
    6005: {"actor", "src_endpoint", "databucket"},
}
OCSF_ACTIVITIES = {
    0: {0},
    3001: range(1, 13),
    3002: range(1, 8),
    3004: range(1, 14),
    3005: {1, 2},
    6003: range(1, 5),
    6005: range(1, 11),
}
# The types that ECS 9.4.0 expects in each category that we use.
ECS_TYPES = {
    "authentication": {"start", "end", "info"},
    "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
    "database": {"access", "change", "info", "error"},
    "api": {"access", "admin", "allowed", "change", "creation", "deletion", "denied"}
    | {"end", "info", "start", "user"},
}


def rendered(name: str, sample: str) -> dict:
    return json.loads(line_of(entry(SAMPLES[sample]), name))


def every_value(record):
    if isinstance(record, dict):
        for value in record.values():
            yield from every_value(value)
    elif isinstance(record, list):
        for value in record:
            yield from every_value(value)
    else:
        yield record


@pytest.mark.parametrize("name", RENDERINGS)
def test_a_rendering_is_what_the_golden_file_says(name):
    golden = json.loads((GOLDEN / GOLDEN_FILES[name]).read_text())

    assert {sample: rendered(name, sample) for sample in SAMPLES} == golden


def test_every_kind_of_event_has_a_place_of_its_own():
    missing = set(EventType.values) - PLACES.keys()

    assert not missing, f"Add to apps/audit/renderings/places.py: {sorted(missing)}"


@pytest.mark.parametrize("action", [*PLACES, "account.renamed", "pipeline.started", ""])
def test_a_place_is_one_that_the_standards_have(action):
    place = place_of(action)

    activities = OCSF_ACTIVITIES[place.class_uid]
    assert place.activity_id in activities or place.activity_id == OTHER
    assert set(place.types) <= ECS_TYPES[place.category]


@pytest.mark.parametrize(
    ("action", "class_uid"),
    [
        ("account.renamed", 3001),
        ("access.delayed", 6003),
        ("audit.unheard_of", 3004),
        ("pipeline.started", 3004),
    ],
)
def test_a_kind_without_a_place_gets_one_by_its_resource(action, class_uid):
    assert action not in PLACES
    assert place_of(action).class_uid == class_uid
    assert place_of(action).activity_id == OTHER


@pytest.mark.parametrize("action", [*PLACES, "pipeline.started", ""])
def test_ocsf_has_what_its_class_requires(action):
    event = json.loads(line_of(entry(body(action)), "ocsf"))

    class_uid, activity = event["class_uid"], event["activity_id"]
    assert event.keys() >= OCSF_BASE | OCSF_REQUIRED[class_uid]
    assert event["type_uid"] == class_uid * 100 + activity
    assert event["category_uid"] == class_uid // 1000
    assert event["metadata"].keys() >= {"version", "product", "uid", "original_time"}
    assert ("activity_name" in event) == (activity == OTHER)


def test_ocsf_time_is_in_milliseconds():
    assert rendered("ocsf", "lifecycle")["time"] == 1769860800123


@pytest.mark.parametrize(
    ("outcome", "status_id", "in_ecs"),
    [
        ("success", 1, "success"),
        ("failure", 2, "failure"),
        ("denied", 2, "failure"),
        ("error", 2, "failure"),
        ("unheard_of", 0, "unknown"),
    ],
)
def test_an_outcome_is_told_in_the_words_of_each(outcome, status_id, in_ecs):
    told = entry(body("access.refused", outcome=outcome))

    assert RENDERINGS["ocsf"](told)["status_id"] == status_id
    assert RENDERINGS["ocsf"](told)["status_code"] == outcome
    assert RENDERINGS["ecs"](told)["event"]["outcome"] == in_ecs


@pytest.mark.parametrize(
    ("changes", "privileges"),
    [
        ([{"name": "role", "value": [None, "validator"]}], ["validator"]),
        ([{"name": "role", "value": ["developer", None]}], ["developer"]),
        ([{"name": "agency_roles", "value": [["auditor"], []]}], ["auditor"]),
        ([{"name": "agency_roles", "value": [[], ["a", "b"]]}], ["a", "b"]),
        ([{"name": "person", "value": SAM}], ["member.added"]),
        ("nonsense", ["member.added"]),
    ],
)
def test_ocsf_names_the_privileges_that_changed_hands(changes, privileges):
    event = RENDERINGS["ocsf"](entry(body("member.added", changes=changes)))

    assert event["privileges"] == privileges


def test_ocsf_names_by_commitment_whom_a_grant_is_about():
    told = entry(body("model.granted", changes=[{"name": "person", "value": SAM}]))

    assert RENDERINGS["ocsf"](told)["user"] == {"uid": SAM["commitment"]}


@pytest.mark.parametrize("name", RENDERINGS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_every_rendering_leads_back_to_the_leaf(name, sample):
    record, text = rendered(name, sample), entry(SAMPLES[sample]).text

    values = {str(value) for value in every_value(record)}
    assert "7" in values
    assert not text or leaf_hash(text.encode()).hex() in values
    assert ORIGIN in values


def test_the_plain_body_has_the_bytes_that_were_sealed():
    told = body("approval.signed_off", reason="Prüfung ✓ \u2028 𝄞", changes=[1, None])

    again = json.loads(line_of(entry(told), "plain"))

    sealed = canonical(again["body"]).encode()
    assert sha256(b"\0" + sealed).hexdigest() == again["leaf_hash"]


def test_a_body_in_another_spelling_is_kept_as_text():
    record = json.loads(line_of(entry('{"b": 1, "a":2}'), "plain"))

    assert record["text"] == '{"b": 1, "a":2}'
    assert "body" not in record


@pytest.mark.parametrize("name", RENDERINGS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '"text"',
        '{"id":"half',
        '{"action":7,"actor":[],"object":"x","scope":1,"changes":{},"time":"soon"}',
        '{"action":"member.added","changes":[1,{"name":"role","value":"x"}],"time":""}',
        '{"action":"account.signed_in","actor":{"roles":"all"},"time":"2026-13-01"}',
    ],
)
def test_a_damaged_event_is_rendered_too(name, text):
    line = line_of(entry(text), name)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line)


@pytest.mark.parametrize("name", RENDERINGS)
def test_a_line_feed_in_a_text_does_not_part_the_line(name):
    told = entry(body("approval.signed_off", reason='one\ntwo\r\n{"leaf_index":1}'))

    assert line_of(told, name).count(b"\n") == 1


@pytest.mark.parametrize("name", RENDERINGS)
def test_a_short_entry_keeps_the_hash_of_the_whole_and_says_so(name):
    told = body("approval.signed_off", reason="r" * 999, changes=["c" * 60_000])
    whole = entry(told)

    short = json.loads(line_of(Entry(7, whole.text, ORIGIN, is_short=True), name))

    values = list(every_value(short))
    assert whole.leaf_hash in values
    assert True in values
    assert len(json.dumps(short)) < 4000


def test_names_of_people_are_commitments_in_every_rendering():
    for name in RENDERINGS:
        text = line_of(entry(SAMPLES["sign_in"]), name).decode()
        assert JANE["commitment"] in text
        assert SAM["commitment"] in text


def test_renderings_need_no_django():
    program = (
        "import sys, apps.audit.renderings;"
        "sys.exit(any(name.partition('.')[0] == 'django' for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
