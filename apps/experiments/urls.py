from django.urls import path

from apps.experiments import views

app_name = "experiments"
urlpatterns = [
    path("projects/<slug:slug>/experiments/", views.list_experiments, name="list"),
    path(
        "projects/<slug:slug>/experiments/create/",
        views.create_experiment,
        name="create_experiment",
    ),
    path("experiments/<uuid:pk>/", views.experiment, name="experiment"),
    path("experiments/<uuid:pk>/compare/", views.compare_runs, name="compare_runs"),
    path("runs/<uuid:pk>/", views.run, name="run"),
    path(
        "runs/<uuid:pk>/artifacts/<path:path>",
        views.download_artifact,
        name="download_artifact",
    ),
]
