from django.urls import path

from apps.projects import views

app_name = "projects"
urlpatterns = [
    path("projects/", views.list_projects, name="list"),
    path("projects/create/", views.create_project, name="create_project"),
    path("projects/<slug:slug>/edit/", views.edit_project, name="edit_project"),
    path(
        "projects/<slug:slug>/objective/", views.state_objective, name="state_objective"
    ),
    path(
        "projects/<slug:slug>/code-policy/",
        views.set_code_policy,
        name="set_code_policy",
    ),
    path(
        "projects/<slug:slug>/impact/", views.determine_impact, name="determine_impact"
    ),
    path("projects/<slug:slug>/members/", views.members, name="members"),
    path("projects/<slug:slug>/members/add/", views.add_member, name="add_member"),
    path("members/<uuid:pk>/change-role/", views.change_role, name="change_role"),
    path("members/<uuid:pk>/remove/", views.remove_member, name="remove_member"),
]
