"""Messages go to public addresses and to networks that a setting names, only."""

import socket

import pytest

from apps.core.errors import Invalid
from apps.notices.guard import Forbidden, check_url, destination

PUBLIC = "93.184.215.14"


@pytest.fixture
def names(monkeypatch) -> dict[str, list[str]]:
    """What names stand for; a lookup of any other fails."""
    known: dict[str, list[str]] = {}
    ordinary = socket.getaddrinfo

    def lookup(host, port, *args, **kwargs):
        found = known.get(host, [host])
        return [each for one in found for each in ordinary(one, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return known


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.gov/",
        "ftp://hooks.example.gov/",
        "hooks.example.gov",
        "https://",
        "https:///path",
        "https://user:secret@hooks.example.gov/",
        "https://user@hooks.example.gov/",
        "https://hooks.example.gov/#part",
        "https://hooks.example.gov:port/",
        "https://hooks.example.gov:99999/",
        "https://[::1/",
        "https://hooks.example.gov/a b",
        "https://hooks.example.gov/\r\nX-Evil: 1",
        "https://hööks.example.gov/",
        f"https://hooks.example.gov/{'x' * 500}",
        "https://10.1.2.3/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://192.168.1.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:10.1.2.3]/",
        "https://[64:ff9b::a01:203]/",
        "https://[2002:a01:203::1]/",
    ],
)
def test_check_url_refuses_what_could_never_be_told(url):
    with pytest.raises(Invalid) as refused:
        check_url(url)

    assert "url" in refused.value.fields


@pytest.mark.parametrize(
    "url", ["https://hooks.example.gov", f"https://{PUBLIC}:8443/a?b=c"]
)
def test_check_url_takes_public_addresses(url):
    assert check_url(f" {url} ") == url


def test_a_setting_opens_networks_and_this_machine(settings):
    settings.WEBHOOK_NETWORKS = ["10.20.0.0/16", "127.0.0.0/8"]

    assert check_url("https://10.20.1.1/")
    assert check_url("http://127.0.0.1:8080/")
    with pytest.raises(Invalid):
        check_url("https://10.21.1.1/")


def test_destination_names_the_address_that_was_seen(names):
    names["hooks.example.gov"] = [PUBLIC]

    found = destination("https://hooks.example.gov:8443/a?b=c")

    assert (found.host, found.port, found.address) == (
        "hooks.example.gov",
        8443,
        PUBLIC,
    )
    assert found.path == "/a?b=c"
    assert destination("https://hooks.example.gov").path == "/"


@pytest.mark.parametrize("inside", ["10.1.2.3", "127.0.0.1", "::1", "::ffff:10.1.2.3"])
def test_destination_refuses_names_that_lead_inside(names, inside):
    names["hooks.example.gov"] = [PUBLIC, inside]

    with pytest.raises(Forbidden, match="inside a network"):
        destination("https://hooks.example.gov/")


def test_without_encryption_only_this_machine_is_told(names, settings):
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8", "10.0.0.0/8"]
    names["hooks.example.gov"] = ["10.1.2.3"]

    with pytest.raises(Forbidden, match="without encryption"):
        destination("http://hooks.example.gov/")


def test_destination_asks_again_what_is_allowed_now(settings):
    settings.WEBHOOK_NETWORKS = ["10.0.0.0/8"]
    assert destination("https://10.1.2.3/")
    settings.WEBHOOK_NETWORKS = []

    with pytest.raises(Forbidden):
        destination("https://10.1.2.3/")


@pytest.mark.parametrize(
    "odd", ["https://2130706433/", "https://0x7f.1/", "https://017700000001/"]
)
def test_odd_spellings_of_this_machine_do_not_help(odd):
    with pytest.raises(Forbidden):
        destination(odd)
