from django.urls import path

from apps.datasets import views, views_imports, views_uploads, views_versions

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
