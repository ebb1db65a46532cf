from django.urls import path

from apps.datasets import (
    views,
    views_contracts,
    views_datasheets,
    views_diffs,
    views_imports,
    views_sealed,
    views_uploads,
    views_versions,
)

app_name = "datasets"
urlpatterns = [
    path("projects/<slug:slug>/datasets/", views.list_datasets, name="list"),
    path(
        "projects/<slug:slug>/datasets/upload/",
        views.upload_dataset,
        name="upload_dataset",
    ),
    path("datasets/<uuid:pk>/", views.dataset, name="dataset"),
    path("datasets/<uuid:pk>/edit/", views.edit_dataset, name="edit_dataset"),
    path(
        "datasets/<uuid:pk>/upload-version/",
        views.upload_version,
        name="upload_version",
    ),
    path(
        "projects/<slug:slug>/datasets/import/",
        views_imports.import_dataset,
        name="import_dataset",
    ),
    path(
        "datasets/<uuid:pk>/import-version/",
        views_imports.import_version,
        name="import_version",
    ),
    path("datasets/<uuid:pk>/contract/", views_contracts.contract, name="contract"),
    path(
        "datasets/<uuid:pk>/contract/edit/",
        views_contracts.save_contract,
        name="save_contract",
    ),
    path(
        "datasets/<uuid:pk>/contract/<int:number>/",
        views_contracts.contract_revision,
        name="contract_revision",
    ),
    path("datasets/<uuid:pk>/changes/", views_diffs.changes, name="changes"),
    path(
        "datasets/<uuid:pk>/changes/compare/",
        views_diffs.request_diff,
        name="request_diff",
    ),
    path("dataset-diffs/<uuid:pk>/", views_diffs.diff, name="diff"),
    path(
        "dataset-diffs/<uuid:pk>/progress/",
        views_diffs.diff_progress,
        name="diff_progress",
    ),
    path(
        "dataset-diffs/<uuid:pk>/cancel/", views_diffs.cancel_diff, name="cancel_diff"
    ),
    path(
        "dataset-diffs/<uuid:pk>/download/",
        views_diffs.download_diff,
        name="download_diff",
    ),
    path("datasets/<uuid:pk>/datasheet/", views_datasheets.datasheet, name="datasheet"),
    path(
        "datasets/<uuid:pk>/datasheet/write/",
        views_datasheets.write_datasheet,
        name="write_datasheet",
    ),
    path(
        "datasets/<uuid:pk>/datasheet/<int:number>/",
        views_datasheets.datasheet_revision,
        name="datasheet_revision",
    ),
    path(
        "dataset-hints/<uuid:pk>/decide/",
        views_datasheets.decide_hint,
        name="decide_hint",
    ),
    path(
        "dataset-versions/<uuid:pk>/upload-sealed-part/",
        views_sealed.upload_sealed_part,
        name="upload_sealed_part",
    ),
    path(
        "sealed-parts/<uuid:pk>/cancel/",
        views_sealed.cancel_sealed_part,
        name="cancel_sealed_part",
    ),
    path(
        "projects/<slug:slug>/sealed-budget/",
        views_sealed.set_sealed_budget,
        name="set_sealed_budget",
    ),
    *views.access_views.urls("datasets/<uuid:pk>/", "dataset"),
    path(
        "uploads/<uuid:pk>/cancel/",
        views_uploads.cancel_upload,
        name="cancel_upload",
    ),
    path("dataset-versions/<uuid:pk>/", views_versions.version, name="version"),
    path(
        "dataset-versions/<uuid:pk>/progress/",
        views_versions.version_progress,
        name="version_progress",
    ),
    path(
        "dataset-versions/<uuid:pk>/cancel/",
        views_versions.cancel_ingest,
        name="cancel_ingest",
    ),
    path(
        "dataset-versions/<uuid:pk>/download/",
        views_versions.download_version,
        name="download_version",
    ),
    path(
        "dataset-versions/<uuid:pk>/errors/",
        views_versions.download_errors,
        name="download_errors",
    ),
]
