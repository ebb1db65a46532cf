"""Rows of datasets, their versions and who sees them."""

from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.projects.actions import access
from tests.factories import datasets as factory
from tests.factories import datasheets, sealed, uploads
from tests.permission_rows import (
    DATA_SCIENTIST,
    PROGRAM_MANAGER,
    READERS,
    STRANGERS,
    VALIDATOR,
    Row,
    everybody,
    of_project,
)

READ = everybody(200, *READERS)
HIDDEN = everybody(404, *STRANGERS)


def uploader(status: int) -> dict[str, int]:
    return {DATA_SCIENTIST: status, **HIDDEN}


def granter(status: int) -> dict[str, int]:
    return {DATA_SCIENTIST: status, PROGRAM_MANAGER: status, **HIDDEN}


def manager(status: int) -> dict[str, int]:
    return {PROGRAM_MANAGER: status, **HIDDEN}


def downloader(status: int) -> dict[str, int]:
    return {DATA_SCIENTIST: status, VALIDATOR: status, **HIDDEN}


class FileAnew(SimpleUploadedFile):
    """A file that each person can send anew."""

    def read(self, *args):
        self.seek(0)
        return super().read(*args)


def file():
    return FileAnew("new.csv", b"a\n1\n")


def new_dataset(world):
    data = {"name": "new", "title": "New", "file": file()}
    return {"slug": world.project.slug}, data


def dataset(world):
    made = factory.dataset(world.project, world.data_scientist)
    return {"pk": made.pk}, {"title": "Other", "description": ""}


def new_version(world):
    return dataset(world)[0], {"file": file()}


def restricted(world):
    """Restricted to everybody whose refusal is to be seen."""
    made = factory.dataset(world.project, world.data_scientist)
    access.restrict(thing=made, by=world.data_scientist)
    for person in (
        world.program_manager,
        world.validator,
        world.operations_manager,
    ):
        access.grant(thing=made, person=person, by=world.data_scientist)
    return made


def to_open(world):
    return {"pk": restricted(world).pk}, None


def new_grant(world):
    return {"pk": restricted(world).pk}, {"email": world.developer.email}


def grant(world):
    made = restricted(world)
    return {"pk": made.pk, "person_pk": world.validator.pk}, None


def version(world):
    made = factory.dataset(world.project, world.data_scientist)
    return {"pk": factory.version(made, world.data_scientist).pk}, None


def failed(world):
    made = factory.dataset(world.project, world.data_scientist)
    running = factory.running_version(made, world.data_scientist)
    wrong = [{"row": 2, "column": "a", "message": "Not a number.", "text": "x"}]
    return {"pk": factory.fail(running, "Row 2 is wrong.", wrong).pk}, None


def begun(world):
    """An upload that its owner goes on with; nobody else sees it."""
    return {"pk": uploads.begun(world.project, world.data_scientist).pk}, None


def next_chunk(world):
    return begun(world)[0], uploads.CONTENT


def received(world):
    return {"pk": uploads.received(world.project, world.data_scientist).pk}, None


def source_file(world):
    """A file that can be imported."""
    folder = Path(settings.JOBS_DIR).parent / "archive"
    folder.mkdir(exist_ok=True)
    (folder / "rows.csv").write_bytes(uploads.CONTENT)
    settings.DATA_SOURCES = {"archive": str(folder)}
    return {"source": "archive", "path": "rows.csv"}


def in_sources(world):
    source_file(world)
    return {"slug": world.project.slug}, None


def in_a_source(world):
    source_file(world)
    return {"slug": world.project.slug, "source": "archive"}, None


def to_import(world):
    place = source_file(world)
    return {"slug": world.project.slug}, {**place, "name": "new", "title": "New"}


def to_import_next(world):
    return dataset(world)[0], source_file(world)


ITS_OWNER = {DATA_SCIENTIST: 200}
SENDING = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}


def contract(world):
    pk, _ = dataset(world)
    content = {"columns": [{"name": "speed", "unique": {}}]}
    return pk, {"content": content, "note": "Why."}


def contract_page(world):
    return dataset(world)[0], {
        "rows_severity": "block",
        "fresh_severity": "block",
        "key_severity": "block",
        "rows_low": "1",
    }


def saved_contract(world):
    made = factory.dataset(world.project, world.data_scientist)
    factory.contract(made, world.data_scientist)
    return {"pk": made.pk}, None


def saved_revision(world):
    return {**saved_contract(world)[0], "number": 1}, None


def ready(world):
    made = factory.dataset(world.project, world.data_scientist)
    factory.ready_version(made, world.data_scientist)
    return {"pk": made.pk}, None


CHECKED = {"revision": 1, "verdict": "passed", "checks": []}


def held_version(world):
    made = factory.dataset(world.project, world.data_scientist)
    result = {**factory.RESULT, "contract": CHECKED}
    found = factory.ready_version(made, world.data_scientist, result=result)
    return {"pk": found.pk}, None


def pair(world):
    made = factory.dataset(world.project, world.data_scientist)
    factory.ready_version(made, world.data_scientist)
    factory.ready_version(made, world.data_scientist, content=b"a\n1\n")
    return {"pk": made.pk}


def pair_page(world):
    return pair(world), {"before_number": 1, "after_number": 2, "key": ["species"]}


def pair_of_api(world):
    return pair(world), {"before": 1, "after": 2, "key": ["species"]}


def waiting_diff(world):
    made = factory.dataset(world.project, world.data_scientist)
    return {"pk": factory.requested_diff(made, world.data_scientist).pk}, None


def ready_diff(world):
    made = factory.dataset(world.project, world.data_scientist)
    return {"pk": factory.ready_diff(made, world.data_scientist).pk}, None


def only_asker(status: int) -> dict[str, int]:
    return {DATA_SCIENTIST: status, **HIDDEN}


def answers(world):
    return dataset(world)[0], {"answers": {"source": "FAA"}}


def revision(world):
    made = factory.dataset(world.project, world.data_scientist)
    datasheets.datasheet(made, world.data_scientist)
    return {"pk": made.pk, "number": 1}, None


def hint(world):
    """A hint whose steward is the data scientist."""
    made = factory.dataset(world.project, world.data_scientist)
    found = datasheets.hint(made, world.data_scientist)
    datasheets.datasheet(made, world.data_scientist)
    return {"pk": found.pk}, {"decision": "confirmed", "reason": ""}


def sealed_rows(world):
    made = factory.dataset(world.project, world.data_scientist)
    return {"pk": factory.ready_version(made, world.data_scientist).pk}, {
        "file": file()
    }


def sealed_part(world):
    made = factory.dataset(world.project, world.data_scientist)
    return {"pk": sealed.waiting_part(made, world.data_scientist).pk}, None


def budget(world):
    return {"slug": world.project.slug}, {"looks": 3, "reason": "Few."}


# The developer was not granted the restricted dataset.
UNGRANTED = {"developer": 404}

ROWS = [
    Row("datasets:list", "get", of_project, READ),
    Row("datasets:upload_dataset", "get", of_project, uploader(200), others=403),
    Row("datasets:upload_dataset", "post", new_dataset, uploader(302), others=403),
    Row("datasets:dataset", "get", dataset, READ),
    Row("datasets:edit_dataset", "get", dataset, uploader(200), others=403),
    Row("datasets:edit_dataset", "post", dataset, uploader(302), others=403),
    Row("datasets:upload_version", "get", dataset, uploader(200), others=403),
    Row("datasets:upload_version", "post", new_version, uploader(302), others=403),
    Row("datasets:restrict_dataset", "post", dataset, granter(302), others=403),
    Row("datasets:open_dataset", "post", to_open, granter(302) | UNGRANTED, others=403),
    Row(
        "datasets:grant_dataset",
        "post",
        new_grant,
        granter(302) | UNGRANTED,
        others=403,
    ),
    Row(
        "datasets:revoke_dataset_grant",
        "post",
        grant,
        granter(302) | UNGRANTED,
        others=403,
    ),
    Row("datasets:cancel_upload", "post", begun, {DATA_SCIENTIST: 302}),
    Row("datasets:contract", "get", saved_contract, READ),
    Row("datasets:contract_revision", "get", saved_revision, READ),
    Row("datasets:save_contract", "get", dataset, uploader(200), others=403),
    Row("datasets:save_contract", "post", contract_page, uploader(302), others=403),
    Row("datasets:changes", "get", dataset, READ),
    Row("datasets:request_diff", "post", pair_page, downloader(302), others=403),
    Row("datasets:diff", "get", ready_diff, READ),
    Row("datasets:diff_progress", "get", waiting_diff, READ),
    Row("datasets:cancel_diff", "post", waiting_diff, only_asker(302), others=403),
    Row("datasets:download_diff", "get", ready_diff, downloader(200), others=403),
    Row("datasets:datasheet", "get", dataset, READ),
    Row("datasets:datasheet_revision", "get", revision, READ),
    Row("datasets:write_datasheet", "get", dataset, uploader(200), others=403),
    Row("datasets:write_datasheet", "post", dataset, uploader(302), others=403),
    Row("datasets:decide_hint", "get", hint, uploader(200), others=403),
    Row("datasets:decide_hint", "post", hint, uploader(302), others=403),
    Row("datasets:upload_sealed_part", "get", sealed_rows, uploader(200), others=403),
    Row("datasets:upload_sealed_part", "post", sealed_rows, uploader(302), others=403),
    Row("datasets:cancel_sealed_part", "post", sealed_part, uploader(302), others=403),
    Row("datasets:set_sealed_budget", "get", budget, manager(200), others=403),
    Row("datasets:set_sealed_budget", "post", budget, manager(302), others=403),
    Row("datasets:version", "get", version, READ),
    Row("datasets:version_progress", "get", version, READ),
    Row("datasets:cancel_ingest", "post", version, uploader(302), others=403),
    Row("datasets:download_version", "get", version, downloader(200), others=403),
    Row("datasets:download_errors", "get", failed, READ),
    Row("v1:download_errors", "get", failed, READ),
    Row("datasets:import_dataset", "get", in_sources, uploader(200), others=403),
    Row("datasets:import_dataset", "post", to_import, uploader(302), others=403),
    Row("datasets:import_version", "get", dataset, uploader(200), others=403),
    Row("datasets:import_version", "post", to_import_next, uploader(302), others=403),
    Row("v1:sources", "get", in_sources, uploader(200), others=403),
    Row("v1:source", "get", in_a_source, uploader(200), others=403),
    Row("v1:import_dataset", "post", to_import, uploader(202), others=403),
    Row("v1:import_version", "post", to_import_next, uploader(202), others=403),
    Row("v1:datasets", "get", of_project, READ),
    Row(
        "v1:datasets",
        "post",
        new_dataset,
        uploader(202),
        others=403,
        multipart=True,
    ),
    Row("v1:dataset", "get", dataset, READ),
    Row("v1:dataset", "patch", dataset, uploader(200), others=403),
    Row("v1:dataset_versions", "get", dataset, READ),
    Row(
        "v1:dataset_versions",
        "post",
        new_version,
        uploader(202),
        others=403,
        multipart=True,
    ),
    Row("v1:restrict_dataset", "post", dataset, granter(200), others=403),
    Row("v1:open_dataset", "post", to_open, granter(200) | UNGRANTED, others=403),
    Row("v1:dataset_grants", "get", to_open, READ | UNGRANTED),
    Row("v1:dataset_grants", "post", new_grant, granter(201) | UNGRANTED, others=403),
    Row("v1:dataset_grant", "delete", grant, granter(204) | UNGRANTED, others=403),
    Row("v1:contract", "get", saved_contract, READ),
    Row("v1:contract", "put", contract, uploader(200), others=403),
    Row("v1:contract_revisions", "get", saved_contract, READ),
    Row("v1:contract_proposal", "get", ready, READ),
    Row("v1:contract_check", "get", held_version, READ),
    Row("v1:diffs", "get", dataset, READ),
    Row("v1:diffs", "post", pair_of_api, downloader(202), others=403),
    Row("v1:diff", "get", ready_diff, READ),
    Row("v1:cancel_diff", "post", waiting_diff, only_asker(202), others=403),
    Row("v1:download_diff", "get", ready_diff, downloader(200), others=403),
    Row("v1:datasheet", "get", dataset, READ),
    Row("v1:datasheet", "put", answers, uploader(200), others=403),
    Row("v1:datasheet_revisions", "get", dataset, READ),
    Row("v1:dataset_hints", "get", version, READ),
    Row("v1:decide_hint", "post", hint, uploader(200), others=403),
    Row("v1:sealed_parts", "get", dataset, READ),
    Row(
        "v1:upload_sealed_part",
        "post",
        sealed_rows,
        uploader(202),
        others=403,
        multipart=True,
    ),
    Row("v1:sealed_part", "get", sealed_part, READ),
    Row("v1:cancel_sealed_part", "post", sealed_part, uploader(202), others=403),
    Row("v1:sealed_budget", "get", budget, READ),
    Row("v1:sealed_budget", "put", budget, manager(200), others=403),
    Row("v1:dataset_version", "get", version, READ),
    Row("v1:cancel_ingest", "post", version, uploader(202), others=403),
    Row("v1:download_version", "get", version, downloader(200), others=403),
    Row("v1:uploads", "get", others=200),
    Row(
        "v1:start_upload",
        "post",
        of_project,
        uploader(201),
        others=403,
        headers=uploads.start_headers(name="new"),
    ),
    Row(
        "v1:start_version_upload",
        "post",
        lambda world: (dataset(world)[0], None),
        uploader(201),
        others=403,
        headers=uploads.start_headers(),
    ),
    Row("v1:upload", "get", begun, ITS_OWNER),
    Row("v1:upload", "patch", next_chunk, {DATA_SCIENTIST: 204}, headers=SENDING),
    Row("v1:upload", "delete", begun, {DATA_SCIENTIST: 204}),
    Row("v1:complete_upload", "post", received, {DATA_SCIENTIST: 202}),
]
