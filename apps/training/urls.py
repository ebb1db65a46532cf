from django.urls import path

from apps.training import urls_code, views, views_launch

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
]
