from django.urls import path

from apps.home import views

_VERSION = "projects/<slug:slug>/models/<slug:name>/versions/<int:number>/"

app_name = "home"
urlpatterns = [
    path("", views.home, name="home"),
    path("inbox/", views.inbox, name="inbox"),
    path("roles/", views.roles, name="roles"),
    path("projects/<slug:slug>/", views.project, name="project"),
    path(_VERSION, views.model_version, name="model_version"),
    path(f"{_VERSION}card/", views.card, name="card"),
]
