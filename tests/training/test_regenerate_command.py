"""The command `regenerate`, for scripts and for people on the machine."""

from io import StringIO
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.training.models import Regeneration
from tests.factories import regenerations, registry


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


def regenerate(version, by, *options) -> str:
    said = StringIO()
    call_command(
        "regenerate",
        f"{version.project.slug}/{version.model.name}",
        str(version.number),
        f"--by={by.email}",
        *options,
        stdout=said,
    )
    return said.getvalue()


def test_regenerate_asks_for_it(version, validator):
    said = regenerate(version, validator, "--no-wait", "--tolerance", "0.1", "0.2")

    found = Regeneration.objects.get(run=version.run, asked_by=validator)
    assert found.get_absolute_url() in said
    assert found.tolerance == {"predictions": 0.1, "metrics": 0.2}


def test_regenerate_says_why_it_cannot(version, developer, outsider):
    with pytest.raises(CommandError, match="Only"):
        regenerate(version, developer, "--no-wait")
    with pytest.raises(CommandError, match="does not exist"):
        regenerate(version, outsider, "--no-wait")
    assert not Regeneration.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verdict", ["identical", "different"])
def test_regenerate_waits_for_the_verdict(project, data_scientist, verdict):
    version = registry.model_version(project, data_scientist)
    said: list[str] = []

    def ask() -> None:
        try:
            said.append(regenerate(version, data_scientist))
        except CommandError as error:
            said.append(f"refused: {error}")
        finally:
            connection.close()

    asking = Thread(target=ask)
    asking.start()
    regenerations.end_first(verdict=verdict, sentence=f"It is {verdict}.")
    asking.join(timeout=30)

    assert f"It is {verdict}." in said[0]
    assert said[0].startswith("refused") == (verdict == "different")
