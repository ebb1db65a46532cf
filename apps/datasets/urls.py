from django.urls import path

from apps.datasets import views

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
        "datasets/<uuid:pk>/restrict/", views.restrict_dataset, name="restrict_dataset"
    ),
    path("datasets/<uuid:pk>/open/", views.open_dataset, name="open_dataset"),
    path("datasets/<uuid:pk>/grant/", views.grant_dataset, name="grant_dataset"),
    path(
        "datasets/<uuid:pk>/grants/<uuid:person_pk>/revoke/",
        views.revoke_dataset_grant,
        name="revoke_dataset_grant",
    ),
    path("dataset-versions/<uuid:pk>/", views.version, name="version"),
    path(
        "dataset-versions/<uuid:pk>/progress/",
        views.version_progress,
        name="version_progress",
    ),
    path(
        "dataset-versions/<uuid:pk>/cancel/", views.cancel_ingest, name="cancel_ingest"
    ),
    path(
        "dataset-versions/<uuid:pk>/download/",
        views.download_version,
        name="download_version",
    ),
]
