from django.urls import path

from apps.home import views, views_data

_VERSION = "projects/<slug:slug>/models/<str:name>/versions/<int:number>/"

app_name = "home"
urlpatterns = [
    path("", views.home, name="home"),
    path("inbox/", views.inbox, name="inbox"),
    path("roles/", views.roles, name="roles"),
    path("datasets/<uuid:pk>/sealed/", views_data.sealed_data, name="sealed_data"),
    path(
        "datasets/<uuid:pk>/lineage/",
        views_data.dataset_lineage,
        name="dataset_lineage",
    ),
    path(
        "dataset-versions/<uuid:pk>/lineage/",
        views_data.version_lineage,
        name="version_lineage",
    ),
    path("runs/<uuid:pk>/lineage/", views_data.run_lineage, name="run_lineage"),
    path(
        "runs/<uuid:pk>/approval-panel/",
        views_data.run_approval_panel,
        name="run_approval_panel",
    ),
    path("projects/<slug:slug>/", views.project, name="project"),
    path(_VERSION, views.model_version, name="model_version"),
    path(f"{_VERSION}card/", views.card, name="card"),
    path(
        f"{_VERSION}lineage/",
        views_data.model_version_lineage,
        name="model_version_lineage",
    ),
]
