from dataclasses import dataclass

import pytest

from apps.accounts.models import User
from tests.audit.retention.trails import UNIT, happen_at_once, years_ago
from tests.audit.sealing import sealer_in
from tests.factories import people as people_factory


@dataclass(frozen=True)
class People:
    administrator: User
    auditor: User


@pytest.fixture
def two(committed) -> People:
    """The two people that a removal takes; they came four years ago."""
    with years_ago(4):
        return People(
            people_factory.administrator(),
            people_factory.person(
                "aud@agency.example", "Audrey Auditor", agency_roles=["auditor"]
            ),
        )


@pytest.fixture
def sealer(two, tmp_path):
    """A sealer that sealed two old segments and the beginning of a third."""
    sealer = sealer_in(tmp_path)
    with years_ago(4):
        happen_at_once(2 * UNIT + 40)
    while sealer.seal():
        pass
    return sealer
