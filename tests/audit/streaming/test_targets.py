import pytest

from apps.audit.streaming.targets import BadTarget, configured_targets, target_of

TOKEN = "Splunk 0123-secret"


def test_a_target_is_read_from_its_address():
    target = target_of(
        "https://siem.example/raw?source=portal&format=ocsf&batch=100&name=siem"
        "&authorization=env:SIEM"
    )

    assert target.name == "siem"
    assert (target.scheme, target.host, target.port) == ("https", "siem.example", 443)
    assert target.path == "/raw?source=portal"
    assert (target.rendering, target.batch) == ("ocsf", 100)
    assert target.authorization == "env:SIEM"


@pytest.mark.parametrize(
    ("url", "name", "port"),
    [
        ("https://siem.example/raw?x=1", "https://siem.example:443/raw", 443),
        ("syslog+tls://log.example", "syslog+tls://log.example:6514", 6514),
        ("syslog+tcp://log.example:1514", "syslog+tcp://log.example:1514", 1514),
        ("syslog+udp://log.example", "syslog+udp://log.example:514", 514),
        ("file:///var/trail.jsonl", "file:///var/trail.jsonl", 0),
        ("http://127.0.0.1:9/", "http://127.0.0.1:9/", 9),
    ],
)
def test_a_target_has_the_usual_port_and_its_address_as_name(url, name, port):
    target = target_of(url)

    assert (target.name, target.port, target.rendering) == (name, port, "plain")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("gopher://siem.example", "must begin with one of"),
        ("siem.example", "must begin with one of"),
        ("https://siem.example:port/", "must begin with one of"),
        ("https:///raw", "names no host"),
        ("https://siem.example/?format=xml", "must have a format of plain"),
        ("https://siem.example/?batch=0", "batch must be from 1 to 5000"),
        ("https://siem.example/?batch=many", "batch must be from 1 to 5000"),
        ("https://me:hidden@siem.example/", "has a password in it"),
        ("https://siem.example/?authorization=hidden", "must say authorization=env:"),
        ("http://siem.example/raw", "would send the trail in clear"),
        ("file://folder/trail", "must be an absolute path"),
    ],
)
def test_a_bad_target_is_named_without_its_secrets(url, sentence):
    with pytest.raises(BadTarget, match=sentence) as caught:
        target_of(url)

    assert "hidden" not in str(caught.value)


def test_a_file_may_have_spaces_and_commas_in_its_name():
    assert target_of("file:///trail%20of%2C%20all").path == "/trail of, all"


def test_two_targets_of_one_name_are_refused(streams):
    streams("https://siem.example/a?format=ecs", "https://siem.example/a?format=ocsf")

    with pytest.raises(BadTarget, match="add &name= to one"):
        configured_targets()


def test_the_secret_comes_from_the_environment_or_a_file(monkeypatch, tmp_path):
    monkeypatch.setenv("SIEM", TOKEN)
    (tmp_path / "token").write_text(f"{TOKEN}\n")

    for place in ("env:SIEM", f"file:{tmp_path}/token"):
        target = target_of(f"https://siem.example/?authorization={place}")
        assert target.secret() == TOKEN
        assert TOKEN not in repr(target)
    assert target_of("https://siem.example/").secret() == ""


@pytest.mark.parametrize("content", [None, "two\nlines", "Schlüssel"])
def test_a_secret_that_is_none_is_refused_without_showing_it(tmp_path, content):
    if content is not None:
        (tmp_path / "token").write_text(content)
    target = target_of(f"https://siem.example/?authorization=file:{tmp_path}/token")

    with pytest.raises(BadTarget) as caught:
        target.secret()

    assert str(content) not in str(caught.value)
