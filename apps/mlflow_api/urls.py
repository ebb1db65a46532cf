from django.urls import path

from apps.mlflow_api import (
    views,
    views_artifacts,
    views_experiments,
    views_logged_models,
    views_metrics,
    views_multipart,
    views_registry,
    views_runs,
    views_search,
    views_versions,
)

app_name = "mlflow"

_API = "api/2.0/mlflow"
_ARTIFACTS = "api/2.0/mlflow-artifacts/artifacts"
_PARTS = "api/2.0/mlflow-artifacts/mpu"

_MODEL = f"{_API}/logged-models/<str:model_id>"

_BEGINNINGS = (
    _API,
    "api/3.0/mlflow",
    "api/2.0/mlflow-artifacts",
    "ajax-api/2.0/mlflow",
    "ajax-api/3.0/mlflow",
    "graphql",
    "v1/traces",
)

_ENDPOINTS = {
    "experiments/create": views_experiments.create_experiment,
    "experiments/get": views_experiments.get_experiment,
    "experiments/get-by-name": views_experiments.get_experiment_by_name,
    "experiments/search": views_search.search_experiments,
    "experiments/update": views_experiments.update_experiment,
    "experiments/delete": views_experiments.delete_experiment,
    "experiments/restore": views_experiments.restore_experiment,
    "experiments/set-experiment-tag": views_experiments.set_experiment_tag,
    "experiments/delete-experiment-tag": views_experiments.delete_experiment_tag,
    "runs/create": views_runs.create_run,
    "runs/get": views_runs.get_run,
    "runs/update": views_runs.update_run,
    "runs/delete": views_runs.delete_run,
    "runs/restore": views_runs.restore_run,
    "runs/log-metric": views_runs.log_metric,
    "runs/log-parameter": views_runs.log_parameter,
    "runs/set-tag": views_runs.set_tag,
    "runs/delete-tag": views_runs.delete_tag,
    "runs/log-batch": views_runs.log_batch,
    "runs/log-model": views_runs.log_model,
    "runs/outputs": views_runs.log_outputs,
    "runs/log-inputs": views_runs.log_inputs,
    "runs/search": views_search.search_runs,
    "logged-models": views_logged_models.create,
    "logged-models/search": views_logged_models.search_models,
    "metrics/get-history": views_metrics.get_history,
    "metrics/get-history-bulk": views_metrics.get_history_bulk,
    "artifacts/list": views_artifacts.list_artifacts,
    "registered-models/create": views_registry.create_model,
    "registered-models/get": views_registry.get_model,
    "registered-models/rename": views_registry.rename_model,
    "registered-models/update": views_registry.update_model,
    "registered-models/delete": views_registry.delete_model,
    "registered-models/search": views_registry.search,
    "registered-models/get-latest-versions": views_registry.get_latest_versions,
    "registered-models/set-tag": views_registry.set_tag,
    "registered-models/delete-tag": views_registry.delete_tag,
    "registered-models/alias": views_registry.alias,
    "model-versions/create": views_versions.create_version,
    "model-versions/get": views_versions.get_version,
    "model-versions/update": views_versions.update_version,
    "model-versions/delete": views_versions.delete_version,
    "model-versions/transition-stage": views_versions.transition_stage,
    "model-versions/get-download-uri": views_versions.get_download_uri,
    "model-versions/search": views_versions.search,
    "model-versions/set-tag": views_versions.set_tag,
    "model-versions/delete-tag": views_versions.delete_tag,
}

_offered = [
    path("version", views.version, name="version"),
    path("health", views.health, name="health"),
    path("get-artifact", views_artifacts.get_artifact, name="get_artifact"),
    path(
        "model-versions/get-artifact",
        views_versions.get_artifact,
        name="get_version_artifact",
    ),
    path("api/3.0/mlflow/server-info", views.server_info, name="server_info"),
    *(
        path(f"{_API}/{name}", view, name=name.replace("/", "_").replace("-", "_"))
        for name, view in _ENDPOINTS.items()
    ),
    path(_MODEL, views_logged_models.model, name="logged_model"),
    path(f"{_MODEL}/params", views_logged_models.add_params, name="model_params"),
    path(f"{_MODEL}/tags", views_logged_models.set_tags, name="model_tags"),
    path(f"{_MODEL}/tags/<path:key>", views_logged_models.delete_tag, name="model_tag"),
    path(
        f"{_MODEL}/artifacts/directories",
        views_logged_models.list_files,
        name="model_files",
    ),
    path(_ARTIFACTS, views_artifacts.list_folder, name="list_folder"),
    path(f"{_ARTIFACTS}/<path:path>", views_artifacts.artifact, name="artifact"),
    path(
        f"{_PARTS}/create/<path:folder>",
        views_multipart.create_upload,
        name="create_upload",
    ),
    path(
        f"{_PARTS}/part/<uuid:upload>/<int:number>/<path:path>",
        views_multipart.put_part,
        name="put_part",
    ),
    path(
        f"{_PARTS}/complete/<path:folder>",
        views_multipart.complete_upload,
        name="complete_upload",
    ),
    path(
        f"{_PARTS}/abort/<path:folder>",
        views_multipart.abort_upload,
        name="abort_upload",
    ),
]

urlpatterns = [
    # Programs that speak to MLflow's own pages ask the same under other addresses.
    *(
        path(f"ajax-{one.pattern}", one.callback, name=one.name)
        for one in _offered
        if str(one.pattern).startswith(_API)
    ),
    *_offered,
    *(
        path(address, views.not_here, name="not_here")
        for beginning in _BEGINNINGS
        for address in (beginning, f"{beginning}/", f"{beginning}/<path:rest>")
    ),
]
