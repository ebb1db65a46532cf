from django.urls import path

from apps.datasets import views, views_datasheets, views_sealed, views_versions

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
]
