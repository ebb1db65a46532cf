from apps.datasets.models import Dataset, DatasetVersion
from tests.factories import datasets as factory


def test_names_and_addresses(project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    version = factory.version(dataset, data_scientist)

    assert str(version) == "inspection/strikes version 1"
    assert version.get_absolute_url() == f"/dataset-versions/{version.pk}/"
    assert version.project == project


def test_visible_to_follows_membership_and_agency_roles(world):
    version = factory.version(
        factory.dataset(world.project, world.data_scientist), world.data_scientist
    )

    for person, sees in (
        (world.developer, True),
        (world.auditor, True),
        (world.worker, True),
        (world.administrator, False),
        (world.outsider, False),
    ):
        assert Dataset.objects.visible_to(person).exists() is sees
        found = DatasetVersion.objects.visible_to(person).filter(pk=version.pk)
        assert found.exists() is sees


def test_ready_versions_are_those_that_were_read(project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    ready = factory.ready_version(dataset, data_scientist)
    factory.version(dataset, data_scientist, content=b"a\n1\n")

    assert list(DatasetVersion.objects.ready()) == [ready]
