import re
import socket
from pathlib import Path

import pytest
from django.conf import settings

from apps.audit.anchors.addresses import InvalidAddress, anchor_of, anchors_of
from apps.audit.anchors.carried import CarriedWitness
from apps.audit.anchors.directory import Directory
from apps.audit.anchors.syslog import Syslog
from apps.audit.anchors.timestamp import TimestampAuthority
from apps.audit.anchors.witness import Witness
from tests.audit.anchors.places import cosigner

VKEY = cosigner().vkey


@pytest.mark.parametrize(
    ("address", "kind", "facts"),
    [
        ("dir:///mnt/a%20b", Directory, {"folder": Path("/mnt/a b"), "every": 60}),
        (
            "syslog://loghost",
            Syslog,
            {"target": ("loghost", 514), "way": socket.SOCK_DGRAM},
        ),
        ("syslog://[::1]:601", Syslog, {"family": socket.AF_INET6}),
        ("syslog+tcp://loghost:601", Syslog, {"way": socket.SOCK_STREAM}),
        ("syslog:///dev/log", Syslog, {"target": "/dev/log"}),
        (
            f"witness+https://w.example/a/#{VKEY}",
            Witness,
            {"url": "https://w.example/a"},
        ),
        (f"witness+http://[::1]:80/a#{VKEY}", Witness, {"url": "http://[::1]:80/a"}),
        (f"witness-file:///media/out#{VKEY}", CarriedWitness, {"every": 86_400}),
        (
            "tsa+http://tsa.example/tsr?late=7#/etc/ca.pem",
            TimestampAuthority,
            {"certificates": Path("/etc/ca.pem"), "late": 7, "every": 86_400},
        ),
        ("dir:///mnt/a?every=600&late=3600", Directory, {"every": 600, "late": 3600}),
    ],
)
def test_an_address_is_an_anchor(address, kind, facts):
    anchor = anchor_of(address)

    assert isinstance(anchor, kind)
    assert {name: getattr(anchor, name) for name in facts} == facts
    assert anchor.address == re.split(r"[?#]", address)[0]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("ftp://host/path", "is no anchor; begin with one of dir, syslog"),
        ("/mnt/audit", "is no anchor"),
        ("dir://host/audit", "three slashes"),
        ("dir:///", "three slashes"),
        ("syslog:///", "name a host"),
        ("syslog+tcp:///dev/log", "name a host"),
        ("syslog://host:port", "cannot be an anchor"),
        (f"witness+http://w.example/#{VKEY}", "over https"),
        ("witness+https://w.example/", "its key behind it"),
        (f"witness+https:///path#{VKEY}", "names no host"),
        ("witness-file:///out#nonsense", "its key behind it"),
        ("tsa+https://tsa.example/", "certificates"),
        ("dir:///mnt/a?pace=1", "pace is no option"),
        ("dir:///mnt/a?every=0", "number of seconds"),
        ("dir:///mnt/a?every=soon", "cannot be an anchor"),
        ("dir:///mnt/a?every", "cannot be an anchor"),
        ("syslog://name:secret@host", "no password"),
    ],
)
def test_a_malformed_address_is_refused(address, sentence):
    with pytest.raises(InvalidAddress, match=sentence) as caught:
        anchor_of(address)

    assert "secret" not in str(caught.value)


def test_one_place_is_named_once():
    with pytest.raises(InvalidAddress, match="twice"):
        anchors_of(["dir:///mnt/a", "dir:///mnt/a?every=9"])


def test_the_examples_of_the_environment_file_are_anchors():
    text = (settings.BASE_DIR / ".env.example").read_text()
    anchors = text[text.index("# Places outside") : text.index("AUDIT_ANCHORS=")]
    examples = re.findall(r"^#   (.*)$", anchors, re.MULTILINE)
    addresses = [one for line in examples for one in line.split() if "://" in one]

    kinds = {
        type(anchor_of(re.sub(r"#witness.*", f"#{VKEY}", one))) for one in addresses
    }

    assert kinds == {Directory, Syslog, Witness, CarriedWitness, TimestampAuthority}
