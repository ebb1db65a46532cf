from django.urls import path

from apps.training import urls_code, views, views_launch, views_regenerations

app_name = "training"
urlpatterns = [
    *urls_code.urlpatterns,
    path("projects/<slug:slug>/training-jobs/", views.list_jobs, name="list"),
    path(
        "projects/<slug:slug>/training-jobs/launch/",
        views_launch.launch_training,
        name="launch_training",
    ),
    path(
        "projects/<slug:slug>/training-jobs/launch/text/",
        views_launch.launch_training_from_text,
        name="launch_training_from_text",
    ),
    path("training-jobs/<uuid:pk>/", views.training_job, name="training_job"),
    path(
        "training-jobs/<uuid:pk>/status/",
        views.training_job_status,
        name="training_job_status",
    ),
    path(
        "training-jobs/<uuid:pk>/spec/<str:form>/",
        views_launch.training_spec,
        name="training_spec",
    ),
    path(
        "training-jobs/<uuid:pk>/relaunch/",
        views_launch.relaunch_training,
        name="relaunch_training",
    ),
    path(
        "training-jobs/<uuid:pk>/cancel/", views.cancel_training, name="cancel_training"
    ),
    path(
        "runs/<uuid:pk>/regenerations/",
        views_regenerations.regenerations,
        name="regenerations",
    ),
    path(
        "runs/<uuid:pk>/regenerations/panel/",
        views_regenerations.regenerations_panel,
        name="regenerations_panel",
    ),
    path(
        "runs/<uuid:pk>/regenerate/",
        views_regenerations.request_regeneration,
        name="request_regeneration",
    ),
    path(
        "runs/<uuid:pk>/regeneration-bundle/",
        views_regenerations.download_regeneration_bundle,
        name="download_regeneration_bundle",
    ),
    path(
        "regenerations/<uuid:pk>/",
        views_regenerations.regeneration,
        name="regeneration",
    ),
    path(
        "regenerations/<uuid:pk>/status/",
        views_regenerations.regeneration_status,
        name="regeneration_status",
    ),
    path(
        "regenerations/<uuid:pk>/cancel/",
        views_regenerations.cancel_regeneration,
        name="cancel_regeneration",
    ),
    path(
        "regenerations/<uuid:pk>/certificate/",
        views_regenerations.regeneration_certificate,
        name="regeneration_certificate",
    ),
]
