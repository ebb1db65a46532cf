"""The reference documents are written, and say what the code says."""

import pytest
import yaml
from django.core.management import CommandError, call_command

from apps.home import reference


@pytest.fixture
def written(tmp_path):
    call_command("generate_reference", folder=tmp_path)
    return tmp_path


def test_generate_reference_writes_once(written, capsys):
    capsys.readouterr()

    call_command("generate_reference", folder=written)

    assert capsys.readouterr().out == ""
    call_command("generate_reference", "--check", folder=written)


def test_generate_reference_names_what_is_out_of_date(written):
    (written / "events.md").write_text("Nothing ever happens.")
    (written / "states.md").unlink()

    with pytest.raises(CommandError, match=r"Out of date: events.md, states.md"):
        call_command("generate_reference", "--check", folder=written)

    assert (written / "events.md").read_text() == "Nothing ever happens."


def test_committed_reference_is_up_to_date():
    call_command("generate_reference", "--check")


def test_permissions_say_who_may():
    lines = reference.permissions().splitlines()

    (heading,) = [line for line in lines if line.startswith("| Permission ")]
    (signs,) = [line for line in lines if "`approval.sign_off`" in line]
    cells = dict(zip(heading.split(" | "), signs.split(" | "), strict=True))
    assert cells["Validator"] == "yes"
    assert cells["Administrator"] == ""


def test_events_are_all_listed():
    assert "| `report.finished` | *actor* finished computing *target* |" in (
        reference.events()
    )


def test_states_begin_and_end():
    text = reference.states()

    assert "    [*] --> queued" in text
    assert "    failed --> [*]" in text
    assert "    validated --> in_review" in text


def test_api_schema_lists_what_the_portal_answers(written, capfd):
    schema = yaml.safe_load((written / "api-schema.yaml").read_text())

    assert "/api/v1/validation-reports/{id}" in schema["paths"]
    assert schema["openapi"].startswith("3.")
