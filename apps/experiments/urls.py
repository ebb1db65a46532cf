from django.urls import path

from apps.experiments import (
    views,
    views_bulk,
    views_comparison,
    views_experiments,
    views_links,
    views_runs,
)

app_name = "experiments"
urlpatterns = [
    path(
        "projects/<slug:slug>/experiments/",
        views_experiments.list_experiments,
        name="list",
    ),
    path(
        "projects/<slug:slug>/experiments/create/",
        views_experiments.create_experiment,
        name="create_experiment",
    ),
    path("projects/<slug:slug>/runs/", views_runs.list_runs, name="list_runs"),
    path(
        "projects/<slug:slug>/runs/suggest/",
        views_runs.suggest_in_project,
        name="suggest_in_project",
    ),
    path(
        "projects/<slug:slug>/runs/csv/",
        views_runs.download_project_runs,
        name="download_project_runs",
    ),
    path(
        "projects/<slug:slug>/runs/change/", views_bulk.change_runs, name="change_runs"
    ),
    path("projects/<slug:slug>/runs/tag/", views_bulk.tag_runs, name="tag_runs"),
    path(
        "projects/<slug:slug>/runs/delete/", views_bulk.delete_runs, name="delete_runs"
    ),
    path(
        "projects/<slug:slug>/runs/restore/",
        views_bulk.restore_runs,
        name="restore_runs",
    ),
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
    path("experiments/0/", views_links.default_experiment, name="default_experiment"),
    path(
        "mlflow/experiments/<str:experiment>/",
        views_links.mlflow_experiment,
        name="mlflow_experiment",
    ),
    path(
        "mlflow/experiments/<str:experiment>/runs/<str:run>/",
        views_links.mlflow_run,
        name="mlflow_run",
    ),
    path("experiments/<uuid:pk>/", views_runs.experiment, name="experiment"),
    path("experiments/<uuid:pk>/suggest/", views_runs.suggest, name="suggest"),
    path(
        "experiments/<uuid:pk>/columns/",
        views_runs.choose_columns,
        name="choose_columns",
    ),
    path("experiments/<uuid:pk>/csv/", views_runs.download_runs, name="download_runs"),
    path(
        "experiments/<uuid:pk>/rename/",
        views_experiments.rename_experiment,
        name="rename_experiment",
    ),
    path(
        "experiments/<uuid:pk>/delete/",
        views_experiments.delete_experiment,
        name="delete_experiment",
    ),
    path(
        "experiments/<uuid:pk>/restore/",
        views_experiments.restore_experiment,
        name="restore_experiment",
    ),
    path("runs/<uuid:pk>/", views.run, name="run"),
    path(
        "runs/<uuid:pk>/artifacts/<path:path>",
        views.download_artifact,
        name="download_artifact",
    ),
]
