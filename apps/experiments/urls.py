from django.urls import path

from apps.experiments import (
    views_bulk,
    views_comparison,
    views_experiments,
    views_importing,
    views_links,
    views_logged_model,
    views_notes,
    views_run,
    views_run_artifacts,
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
    path(
        "experiments/<uuid:pk>/note/",
        views_notes.experiment_note,
        name="experiment_note",
    ),
    path(
        "experiments/<uuid:pk>/write-note/",
        views_notes.write_experiment_note,
        name="write_experiment_note",
    ),
    path(
        "logged-models/<uuid:pk>/",
        views_logged_model.logged_model,
        name="logged_model",
    ),
    path(
        "logged-models/<uuid:pk>/preview/<path:path>",
        views_logged_model.preview_logged_model_file,
        name="preview_logged_model_file",
    ),
    path(
        "logged-models/<uuid:pk>/files/<path:path>",
        views_logged_model.download_logged_model_file,
        name="download_logged_model_file",
    ),
    path("notes/preview/", views_notes.preview_note, name="preview_note"),
    path("runs/<uuid:pk>/", views_run.run, name="run"),
    path("runs/<uuid:pk>/progress/", views_run.run_progress, name="run_progress"),
    path(
        "runs/<uuid:pk>/system-metrics/",
        views_run.run_system_metrics,
        name="run_system_metrics",
    ),
    path("runs/<uuid:pk>/set-tags/", views_run.set_run_tags, name="set_run_tags"),
    path("runs/<uuid:pk>/delete-tag/", views_run.delete_run_tag, name="delete_run_tag"),
    path(
        "runs/<uuid:pk>/write-note/", views_notes.write_run_note, name="write_run_note"
    ),
    path("runs/<uuid:pk>/files/", views_run_artifacts.run_files, name="run_files"),
    path(
        "runs/<uuid:pk>/preview/<path:path>",
        views_run_artifacts.preview_artifact,
        name="preview_artifact",
    ),
    path(
        "runs/<uuid:pk>/picture/<path:path>",
        views_run_artifacts.show_picture,
        name="show_picture",
    ),
    path(
        "runs/<uuid:pk>/artifacts/<path:path>",
        views_run_artifacts.download_artifact,
        name="download_artifact",
    ),
]
