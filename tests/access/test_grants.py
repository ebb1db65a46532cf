import pytest
from guardian.shortcuts import assign_perm

from apps.access.grants import granted_to, view_permission
from apps.datasets.models import Dataset
from tests.factories import datasets as dataset_factory


@pytest.fixture
def dataset(project, data_scientist) -> Dataset:
    return dataset_factory.dataset(project, data_scientist)


def test_view_permission_is_named_after_the_model():
    assert view_permission(Dataset) == "view_dataset"


def test_granted_to_lists_only_what_was_granted(dataset, outsider, validator, project):
    dataset_factory.dataset(project, dataset.created_by, "other")

    assign_perm(view_permission(Dataset), outsider, dataset)

    assert list(granted_to(outsider, Dataset)) == [{"key": dataset.pk}]
    assert list(granted_to(validator, Dataset)) == []


def test_granted_to_ignores_a_permission_on_the_whole_model(dataset, outsider):
    assign_perm(f"datasets.{view_permission(Dataset)}", outsider)

    assert list(granted_to(outsider, Dataset)) == []
