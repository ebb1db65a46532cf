import pytest

from tests.factories import training


@pytest.fixture
def version(project, data_scientist):
    return training.data(project, data_scientist)


@pytest.fixture
def experiment(project, data_scientist):
    return training.experiment(project, data_scientist)
