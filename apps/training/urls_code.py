from django.urls import path

from apps.training import views_code as views

urlpatterns = [
    path("projects/<slug:slug>/code-jobs/", views.list_code_jobs, name="code_jobs"),
    path(
        "projects/<slug:slug>/code-jobs/launch/", views.launch_code, name="launch_code"
    ),
    path("code-jobs/<uuid:pk>/", views.code_job, name="code_job"),
    path("code-jobs/<uuid:pk>/status/", views.code_job_status, name="code_job_status"),
    path("code-jobs/<uuid:pk>/cancel/", views.cancel_code, name="cancel_code"),
]
