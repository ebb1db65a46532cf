import socket
from pathlib import Path

import pytest

from dev.demo import database_roles, environment, fingerprint, require_port, welcome
from dev.problem import Problem
from dev.server import HOST


@pytest.fixture
def taken_port():
    with socket.create_server((HOST, 0)) as listener:
        yield str(listener.getsockname()[1])


def test_demo_on_a_taken_port_says_how_to_choose_another(start, taken_port):
    process = start("-m", "dev.demo", PORT=taken_port)

    output, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    assert errors.strip() == (
        f"Cannot go on: Port {taken_port} is taken or not allowed. Stop the program "
        "that uses it, or choose another port: make demo PORT=8001"
    )
    assert output == ""


@pytest.mark.parametrize("port", ["", "eighty", "99999"])
def test_demo_refuses_a_port_that_is_none(port):
    with pytest.raises(Problem, match="PORT=8001"):
        require_port(port)


def test_environment_keeps_everything_in_the_folder_of_the_demo(tmp_path):
    urls = {"DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x"}

    env = environment(urls, folder=tmp_path)
    again = environment(urls, folder=tmp_path)

    assert env["PORTAL_MODE"] == "demo"
    assert env["SECRET_KEY"].startswith("demo-")
    assert env["SECRET_KEY"] == again["SECRET_KEY"]
    assert str(tmp_path) in env["STORAGE_URL"]
    assert Path(env["JOBS_DIR"]).parent == tmp_path
    assert env["DATABASE_URL"] == urls["DATABASE_URL"]


def test_database_roles_have_addresses_and_secrets_of_their_own(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    url = "postgresql://portal:secret@127.0.0.1:5433/portal"

    roles = database_roles(url, folder=tmp_path)

    assert roles == database_roles(url, folder=tmp_path)
    assert roles["owner"]["DATABASE_URL"] == url
    for kind in ("app", "sealer"):
        password = roles["owner"][f"DATABASE_{kind.upper()}_PASSWORD"]
        assert roles[kind] == {
            "DATABASE_URL": f"postgresql://portal_{kind}:{password}"
            "@127.0.0.1:5433/portal"
        }
        assert "secret" not in roles[kind]["DATABASE_URL"]


def test_database_roles_leave_the_server_of_somebody_else_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/portal")

    roles = database_roles("postgresql://elsewhere/portal", folder=tmp_path)

    assert not any(roles.values())
    assert list(tmp_path.iterdir()) == []


def test_fingerprint_changes_with_the_files(tmp_path):
    (tmp_path / "style.css").write_text("a {}")
    before = fingerprint([tmp_path])
    same = fingerprint([tmp_path])

    (tmp_path / "style.css").write_text("a { color: red }")

    assert before == same
    assert fingerprint([tmp_path]) != before


def test_welcome_names_address_and_people():
    access = {
        "auditor": {
            "email": "auditor@example.gov",
            "password": "long enough",
            "token": "t",
        }
    }

    text = welcome("8123", access)

    assert "http://127.0.0.1:8123" in text
    assert "auditor  auditor@example.gov  long enough" in text
