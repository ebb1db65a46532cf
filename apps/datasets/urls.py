from django.urls import path

from apps.datasets import views, views_datasheets, views_versions

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
