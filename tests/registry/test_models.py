"""Facts about models, versions and aliases."""

from apps.projects.actions import access
from apps.registry.models import ModelVersion, RegisteredModel
from tests.factories import registry


def test_names_say_which(project, data_scientist):
    champion = registry.champion(project, data_scientist)

    names = [champion.model, champion, champion.card, champion.aliases.get()]

    assert [str(name) for name in names] == [
        "inspection/damage",
        "inspection/damage version 1",
        "card of inspection/damage version 1",
        "inspection/damage@champion",
    ]


def test_who_reads_every_project_sees_restricted_models(
    project, data_scientist, developer, auditor
):
    version = registry.model_version(project, data_scientist)
    access.restrict(thing=version.model, by=data_scientist)

    assert RegisteredModel.objects.visible_to(auditor).exists()
    assert not RegisteredModel.objects.visible_to(developer).exists()
    assert ModelVersion.objects.visible_to(auditor).exists()
    assert not ModelVersion.objects.visible_to(developer).exists()
