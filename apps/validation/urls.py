from django.urls import path

from apps.validation import views

_MODEL = "projects/<slug:slug>/models/<slug:name>"

app_name = "validation"
urlpatterns = [
    path(f"{_MODEL}/validation-plans/", views.plans, name="plans"),
    path(f"{_MODEL}/write-plan/", views.write_plan, name="write_plan"),
    path(
        f"{_MODEL}/versions/<int:number>/request-report/",
        views.request_report,
        name="request_report",
    ),
    path("validation-plans/<uuid:pk>/", views.plan, name="plan"),
    path("validation-reports/<uuid:pk>/", views.report, name="report"),
    path(
        "validation-reports/<uuid:pk>/progress/",
        views.report_progress,
        name="report_progress",
    ),
    path(
        "validation-reports/<uuid:pk>/cancel/",
        views.cancel_report,
        name="cancel_report",
    ),
]
