"""The quick test of canonical spelling against two slow ones, ours and another's."""

import json
import random
import re
import time

import pytest
import rfc8785

from apps.audit.verifier import auditverify
from apps.audit.verifier.auditverify import Shapes, decode
from tests.audit.verifier.sizes import often

NAMES = ["a", "b", "action", "actor", "changes", "id", "name", "value", "z_9"]
TEXTS = [
    "",
    "a",
    "draft",
    "José Ωmega",
    "\U0001f600",
    " ",
    "~",
    "\x7f",
    "\ud7ff",
    "[1]",
]
ESCAPED = ['"', "\\", "\n", "\t", "\b", "\x00", "\x1f", "/", "\u2028"]
HOSTILE = [b'"', b"\\", b"\x00", b"\x1f", b"\n", b"\xff", b"\xc3", b"\xed\xa0\x80"]
HOSTILE += [b",", b":", b"{", b"}", b"[", b"]", b" ", b"-", b"0", b"1", b".", b"e5"]
HOSTILE += [
    b"true",
    b"null",
    b'"a":',
    b"\\u0041",
    b"\\/",
    b"\\n",
    b"9" * 20,
    b"\xef\xbb\xbf",
]


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def random_value(depth=0):
    kind = random.randrange(9 if depth < 3 else 6)
    if kind < 3:
        pieces = random.choices(TEXTS + ESCAPED * (kind == 0), k=random.randrange(4))
        return "".join(pieces)
    if kind == 3:
        return random.choice([0, 1, -1, 7, 10**15, 2**53 - 1, 1 - 2**53])
    if kind in (4, 5):
        return random.choice([None, True, False])
    if kind == 6:
        return [random_value(depth + 1) for _ in range(random.randrange(4))]
    names = random.sample(NAMES, random.randrange(4))
    return {name: random_value(depth + 1) for name in names}


def random_body():
    names = random.sample(NAMES, random.randrange(1, 6))
    return canonical({name: random_value() for name in names}).encode()


def mutated(body):
    """Touch a body as an attacker, a disk or a careless writer might."""
    start, end = sorted(random.choices(range(len(body) + 1), k=2))
    piece = random.choice(HOSTILE)
    return random.choice(
        [
            body[:start] + piece + body[start:],
            body[:start] + piece + body[start + 1 :],
            body[:start] + body[start + 1 :],
            body[:start] + body[end:],
            body[:end] + body[start:end] + body[end:],
            body[:start] + bytes([random.randrange(256)]) + body[start + 1 :],
        ]
    )


def alike(body):
    """Change strings and numbers, and leave names and signs."""

    def other(found):
        if found[0].startswith(b'"'):
            return b'"' + random.choice([*HOSTILE, b"x", "Ω".encode()]) + b'"'
        return random.choice([b"0", b"-0", b"-5", b"12", b"9" * 15, b"9" * 16, b"007"])

    return re.sub(rb'"[^"\\]*"(?!:)|(?<=[:,\[])-?\d+', other, body)


def ours_refuses(body):
    try:
        decode(body)
    except ValueError:
        return True
    return False


def at_a_glance_refuses(shapes, body):
    try:
        shapes.check(body)
    except ValueError:
        return True
    return False


def unique(pairs):
    assert len(dict(pairs)) == len(pairs)
    assert all(re.fullmatch("[a-z0-9_]+", name) for name, _ in pairs)
    return dict(pairs)


def other_refuses(body):
    """Ask RFC 8785 as somebody else wrote it."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=unique)
        assert isinstance(value, dict)
        assert not has_float(value)
        return rfc8785.dumps(value) != body
    except (ValueError, AssertionError, RecursionError):
        return True


def has_float(value):
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return any(map(has_float, inner))
    return isinstance(value, float)


def test_quick_and_slow_agree_about_every_body():
    shapes, accepted, refused = Shapes(), 0, 0
    for _ in range(often(3_000, full=200_000)):
        body = random_body()
        for _ in range(2):
            shapes.check(body)  # twice, so that its shape is known
        for touched in (body, alike(body), mutated(body), mutated(alike(body))):
            verdict = at_a_glance_refuses(shapes, touched)

            assert verdict == ours_refuses(touched), touched
            assert verdict == other_refuses(touched), touched
            accepted, refused = accepted + (not verdict), refused + verdict
    assert min(accepted, refused) > 1_000
    assert shapes.count <= auditverify.MAX_SHAPES


BODY = b'{"a":"x","b":[1,"y"],"c":{"d":null}}'


@pytest.mark.parametrize(
    "touched",
    [
        b'{"a":"x","b":[1,"y"],"c":{"d":null},"c":{"d":null}}',
        b'{"b":"x","a":[1,"y"],"c":{"d":null}}',
        b'{"a":"x","a":[1,"y"],"c":{"d":null}}',
        b'{"a":"x","b":[1.0,"y"],"c":{"d":null}}',
        b'{"a":"x","b":[-0,"y"],"c":{"d":null}}',
        b'{"a":"x","b":[01,"y"],"c":{"d":null}}',
        b'{"a":"x","b":[9007199254740992,"y"],"c":{"d":null}}',
        b'{"a":"\\u0041","b":[1,"y"],"c":{"d":null}}',
        b'{"a":"\\/","b":[1,"y"],"c":{"d":null}}',
        b'{"a":"\x1f","b":[1,"y"],"c":{"d":null}}',
        b'{"a":"\xed\xa0\x80","b":[1,"y"],"c":{"d":null}}',
        b'{"a":"\xc3","b":[1,"y"],"c":{"d":null}}',
        b'{"a":"\\ud800","b":[1,"y"],"c":{"d":null}}',
        b'{"a":"x","b":[1,"y"],"c":{"d":null}} ',
        b'{"a":"x","b":[1,"y"],"c":{"d":null}}{}',
        b'\xef\xbb\xbf{"a":"x","b":[1,"y"],"c":{"d":null}}',
        b'{"A":"x","b":[1,"y"],"c":{"d":null}}',
        b"",
        b"[]",
        b"[" * 60_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    ],
)
def test_a_known_shape_lets_nothing_through(touched):
    shapes = Shapes()
    for _ in range(3):
        shapes.check(BODY)
    assert shapes.count == 1

    for _ in range(3):
        assert at_a_glance_refuses(shapes, touched)
    shapes.check(BODY.replace(b"x", "Ω".encode()).replace(b"1", b"-12"))


@pytest.mark.parametrize(
    ("other", "places"),
    [
        (b'{"a":"x\\n","b":[1,"y"],"c":{"d":null}}', []),
        (b'{"a":"\\/","b":[1,"y"],"c":{"d":null}}', [1]),
        (b'{"a":"\t","b":[1,"y"],"c":{"d":null}}', [1]),
        (b'{"a":"\0","b":[1,"y"],"c":{"d":null}}', [1]),
        (b'{"b":"x","a":[1,"y"],"c":{"d":null}}', [1]),
    ],
)
def test_one_event_lets_nothing_through_that_stands_beside_it(other, places):
    shapes = Shapes()
    for _ in range(3):
        shapes.check(BODY)

    for wrong in (BODY[:-1] + b" }", BODY.replace(b"x", b"\x01")):
        bodies = [BODY, other, BODY, wrong]
        found = [place for place, _ in shapes.faults(bodies, b"\n".join(bodies))]

        assert found == [*places, 3]


def test_shapes_of_hostile_events_fill_no_memory(monkeypatch):
    monkeypatch.setattr(auditverify, "MAX_SHAPES", 20)
    monkeypatch.setattr(auditverify, "MAX_REMEMBERED", 400)
    shapes = Shapes()

    for number in range(200):
        body = canonical({f"k{number}": ["x"] * number}).encode()
        for _ in range(3):
            shapes.check(body)
        assert at_a_glance_refuses(shapes, body + b" ")

    assert shapes.count <= 20
    assert len(shapes.once) <= 40


def test_no_pattern_takes_long_to_refuse():
    shapes = Shapes()
    body = canonical({"a": ["x"] * 300, "n": list(range(300))}).encode()
    for _ in range(3):
        shapes.check(body)
    began = time.monotonic()

    for _ in range(100):
        assert at_a_glance_refuses(shapes, body[:-1] + b"]")

    assert time.monotonic() - began < 60
