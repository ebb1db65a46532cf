from django.urls import path

from apps.registry import views

_MODEL = "projects/<slug:slug>/models/<str:name>/"
_VERSION = f"{_MODEL}versions/<int:number>/"

app_name = "registry"
urlpatterns = [
    path("models/", views.list_models, name="list"),
    path("projects/<slug:slug>/models/", views.project_models, name="project_models"),
    path(_MODEL, views.model, name="model"),
    *views.access_views.urls(_MODEL, "model"),
    path(f"{_VERSION}edit-card/", views.edit_card, name="edit_card"),
    path(
        f"{_VERSION}files/<path:path>",
        views.download_model_file,
        name="download_model_file",
    ),
    path("runs/<uuid:pk>/registry-panel/", views.run_panel, name="run_panel"),
    path(
        "runs/<uuid:pk>/register-version/",
        views.register_version,
        name="register_version",
    ),
]
