import re

import pytest
import yaml

from dev import demo
from dev.problem import ROOT

PROCESSES = ("web", "worker", "beat", "sealer", "streamer", "migrate", "protect")
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yml").read_text())
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)
VARIABLE = re.compile(r"\$\{([A-Z_]+)")


def entrypoint_commands():
    text = (ROOT / "docker" / "entrypoint.sh").read_text()
    return dict(re.findall(r"^(\w+)\)\n +exec (.+)$", text, re.MULTILINE))


def makefile_commands():
    text = (ROOT / "Makefile").read_text().replace("$(BIN)/", "")
    recipes = dict(re.findall(r"^([a-z-]+):.*\n\t(.+)$", text, re.MULTILINE))
    return recipes | {"web": recipes["run"]}


def without_place(command):
    """Drop the address and the file, which differ between a desk and a container."""
    return re.sub(r" --(bind|schedule) \S+", "", command)


@pytest.mark.parametrize("process", PROCESSES)
def test_the_image_starts_what_the_makefile_starts(process):
    ours = without_place(makefile_commands()[process])

    assert without_place(entrypoint_commands()[process]) == ours


@pytest.mark.parametrize(
    ("process", "command"),
    [
        ("web", demo.WEB),
        ("worker", demo.WORKER),
        ("beat", demo.BEAT),
        ("sealer", " ".join(["python manage.py", *demo.SEALER])),
    ],
)
def test_the_demo_starts_what_the_makefile_starts(process, command):
    assert without_place(makefile_commands()[process]) == command


def test_compose_runs_every_process_of_the_image():
    services = COMPOSE["services"]

    assert entrypoint_commands().keys() == set(PROCESSES)
    assert {services[each]["command"][0] for each in PROCESSES} == set(PROCESSES)
    assert services.keys() - set(PROCESSES) == {"postgres", "redis"}


def test_compose_restricts_every_process_and_publishes_on_this_machine_only():
    for name in PROCESSES:
        service = COMPOSE["services"][name]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert service["env_file"] == "../.env"
    ports = [each.get("ports", []) for each in COMPOSE["services"].values()]
    assert [port for each in ports for port in each] == [
        "127.0.0.1:${WEB_PORT:-8000}:8000"
    ]


def test_compose_checks_the_health_of_every_lasting_process():
    lasting = COMPOSE["services"].keys() - {"migrate", "protect", "web"}

    assert all("test" in COMPOSE["services"][each]["healthcheck"] for each in lasting)
    assert "HEALTHCHECK" in DOCKERFILE  # the image's own: that of web


def test_compose_holds_no_secret():
    for process in PROCESSES:
        for name, value in COMPOSE["services"][process]["environment"].items():
            assert value == "" or "${" in value, (
                f"{name} must take its password from the environment"
            )
    secrets = {name for name in EXAMPLE if name.endswith(("_PASSWORD", "SECRET_KEY"))}
    for name in secrets | {"AUDIT_MAC_KEY"}:
        assert EXAMPLE[name] == ""


ROLES = {"app": "${DATABASE_APP_", "sealer": "${DATABASE_SEALER_", "owner": "portal:"}
CONNECTED_AS = {
    "web": "app",
    "worker": "app",
    "beat": "app",
    "sealer": "sealer",
    "migrate": "owner",
    "protect": "owner",
}


@pytest.mark.parametrize(("process", "role"), CONNECTED_AS.items())
def test_compose_connects_each_process_as_its_role(process, role):
    environment = COMPOSE["services"][process]["environment"]

    assert environment["DATABASE_URL"].startswith(f"postgresql://{ROLES[role]}")


@pytest.mark.parametrize("process", ["web", "worker", "beat", "sealer"])
def test_compose_tells_a_lasting_process_no_password_of_another_role(process):
    environment = COMPOSE["services"][process]["environment"]
    own = f"DATABASE_{CONNECTED_AS[process].upper()}_PASSWORD"
    others = {
        "POSTGRES_PASSWORD",
        "DATABASE_APP_PASSWORD",
        "DATABASE_SEALER_PASSWORD",
        "DATABASE_AUDITOR_PASSWORD",
    } - {own}

    assert {name for name in others if environment.get(name) == ""} == others


def test_the_image_runs_as_an_ordinary_account_and_holds_no_secret():
    final_stage = DOCKERFILE.split("\nFROM ")[-1]

    assert "\nUSER portal\n" in final_stage
    assert final_stage.index("USER portal") < final_stage.index("ENTRYPOINT")
    assert not re.search(r"(KEY|PASSWORD|TOKEN)\s*=", final_stage)
    assert "--require-hashes" in DOCKERFILE
    assert "npm ci --ignore-scripts" in DOCKERFILE


def test_everything_the_image_copies_exists_and_is_let_through():
    ignore = (ROOT / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in ignore if line.startswith("!")}

    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source.split("/")[0] in allowed, source


def test_the_example_lists_what_settings_and_compose_read():
    settings = (ROOT / "mlops_portal" / "settings.py").read_text()
    read = set(re.findall(r"env(?:\.\w+)?\(\s*\"([A-Z_]+)\"", settings))
    read |= set(VARIABLE.findall((ROOT / "docker" / "compose.yml").read_text()))

    assert EXAMPLE.keys() == read
