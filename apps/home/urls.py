from django.urls import path

from apps.home import views, views_data

_VERSION = "projects/<slug:slug>/models/<slug:name>/versions/<int:number>/"

app_name = "home"
urlpatterns = [
    path("", views.home, name="home"),
    path("inbox/", views.inbox, name="inbox"),
    path("roles/", views.roles, name="roles"),
    path("datasets/<uuid:pk>/sealed/", views_data.sealed_data, name="sealed_data"),
    path("projects/<slug:slug>/", views.project, name="project"),
    path(_VERSION, views.model_version, name="model_version"),
    path(f"{_VERSION}card/", views.card, name="card"),
]
