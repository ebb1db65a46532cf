"""Rows of models, their versions and who sees them."""

from apps.projects.actions import access
from tests.factories import registry as factory
from tests.permission_rows import (
    DATA_SCIENTIST,
    DEVELOPER,
    OPERATIONS_MANAGER,
    PEOPLE,
    PROGRAM_MANAGER,
    READERS,
    STRANGERS,
    VALIDATOR,
    Row,
    everybody,
    of_project,
)

READ = everybody(200, *READERS)
ALL = everybody(200, *PEOPLE)
HIDDEN = everybody(404, *STRANGERS)


def scientist(status: int) -> dict[str, int]:
    return {DATA_SCIENTIST: status, **HIDDEN}


def granter(status: int) -> dict[str, int]:
    return {DATA_SCIENTIST: status, PROGRAM_MANAGER: status, **HIDDEN}


def downloader(status: int) -> dict[str, int]:
    people = (DATA_SCIENTIST, VALIDATOR, OPERATIONS_MANAGER, DEVELOPER)
    return everybody(status, *people) | HIDDEN


def run(world):
    made = factory.run_with_model(world.project, world.data_scientist)
    return {"pk": made.pk}, {"model_name": "damage", "description": ""}


def model(world):
    factory.model_version(world.project, world.data_scientist)
    return {"slug": world.project.slug, "name": "damage"}, None


def version(world):
    arguments, _ = model(world)
    return {**arguments, "number": 1}, {"limitations": "Night."}


def file(world):
    arguments, _ = version(world)
    return {**arguments, "path": "model.skops"}, None


def new_version(world):
    made = factory.run_with_model(world.project, world.data_scientist)
    arguments = {"slug": world.project.slug, "name": "damage"}
    return arguments, {"run_id": str(made.pk)}


def restricted(world):
    """Restricted to everybody whose refusal is to be seen."""
    arguments, _ = model(world)
    found = world.project.registered_models.get()
    access.restrict(thing=found, by=world.data_scientist)
    for person in (
        world.program_manager,
        world.validator,
        world.operations_manager,
        world.developer,
    ):
        access.grant(thing=found, person=person, by=world.data_scientist)
    return arguments, None


def new_grant(world):
    return model(world)[0], {"email": world.outsider.email}


def grant(world):
    arguments, _ = model(world)
    found = world.project.registered_models.get()
    access.grant(thing=found, person=world.auditor, by=world.data_scientist)
    return {**arguments, "person_pk": world.auditor.pk}, None


ROWS = [
    Row("registry:list", "get", expect=ALL),
    Row("registry:project_models", "get", of_project, READ),
    Row("registry:model", "get", model, READ),
    Row("registry:restrict_model", "post", model, granter(302), others=403),
    Row("registry:open_model", "post", restricted, granter(302), others=403),
    Row("registry:grant_model", "post", new_grant, granter(302), others=403),
    Row("registry:revoke_model_grant", "post", grant, granter(302), others=403),
    Row("registry:edit_card", "get", version, scientist(200), others=403),
    Row("registry:edit_card", "post", version, scientist(302), others=403),
    Row("registry:download_model_file", "get", file, downloader(200), others=403),
    Row("registry:run_panel", "get", run, READ),
    Row("registry:register_version", "get", run, scientist(200), others=403),
    Row("registry:register_version", "post", run, scientist(302), others=403),
    Row("v1:models", "get", expect=ALL),
    Row("v1:project_models", "get", of_project, READ),
    Row("v1:model", "get", model, READ),
    Row("v1:model_versions", "get", model, READ),
    Row("v1:model_versions", "post", new_version, scientist(201), others=403),
    Row("v1:model_version", "get", version, READ),
    Row("v1:card_sections", "get", version, READ),
    Row("v1:card_sections", "patch", version, scientist(200), others=403),
    Row("v1:model_file", "get", file, downloader(200), others=403),
    Row("v1:restrict_model", "post", model, granter(200), others=403),
    Row("v1:open_model", "post", restricted, granter(200), others=403),
    Row("v1:model_grants", "get", model, READ),
    Row("v1:model_grants", "post", new_grant, granter(201), others=403),
    Row("v1:model_grant", "delete", grant, granter(204), others=403),
]
