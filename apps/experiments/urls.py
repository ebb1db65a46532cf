from django.urls import path

from apps.experiments import views, views_comparison, views_importing

app_name = "experiments"
urlpatterns = [
    path("projects/<slug:slug>/experiments/", views.list_experiments, name="list"),
    path(
        "projects/<slug:slug>/experiments/create/",
        views.create_experiment,
        name="create_experiment",
    ),
    path("projects/<slug:slug>/runs/", views_comparison.list_runs, name="list_runs"),
    path(
        "projects/<slug:slug>/runs/compare/",
        views_comparison.compare_runs,
        name="compare_runs",
    ),
    path(
        "projects/<slug:slug>/runs/compare/csv/",
        views_comparison.download_comparison,
        name="download_comparison",
    ),
    path("experiments/<uuid:pk>/", views.experiment, name="experiment"),
    path(
        "experiments/<uuid:pk>/upload-run/",
        views_importing.upload_run,
        name="upload_run",
    ),
    path(
        "projects/<slug:slug>/run-imports/",
        views_importing.list_imports,
        name="list_imports",
    ),
    path("run-imports/<uuid:pk>/", views_importing.run_import, name="run_import"),
    path(
        "run-imports/<uuid:pk>/json/",
        views_importing.download_import,
        name="download_import",
    ),
    path("runs/<uuid:pk>/", views.run, name="run"),
    path(
        "runs/<uuid:pk>/artifacts/<path:path>",
        views.download_artifact,
        name="download_artifact",
    ),
]
