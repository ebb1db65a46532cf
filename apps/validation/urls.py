from django.urls import path

from apps.validation import views, views_findings

_MODEL = "projects/<slug:slug>/models/<str:name>"

app_name = "validation"
urlpatterns = [
    path(f"{_MODEL}/validation-plans/", views.plans, name="plans"),
    path(f"{_MODEL}/write-plan/", views.write_plan, name="write_plan"),
    path(
        f"{_MODEL}/versions/<int:number>/request-report/",
        views.request_report,
        name="request_report",
    ),
    path(
        f"{_MODEL}/versions/<int:number>/findings/",
        views_findings.list_findings,
        name="findings",
    ),
    path(
        f"{_MODEL}/versions/<int:number>/raise-finding/",
        views_findings.raise_finding,
        name="raise_finding",
    ),
    path("findings/<uuid:pk>/", views_findings.finding, name="finding"),
    path(
        "findings/<uuid:pk>/answer/",
        views_findings.answer_finding,
        name="answer_finding",
    ),
    path(
        "findings/<uuid:pk>/hand-over/",
        views_findings.hand_over_finding,
        name="hand_over_finding",
    ),
    path(
        "findings/<uuid:pk>/close/",
        views_findings.close_finding,
        name="close_finding",
    ),
    path(
        "findings/<uuid:pk>/accept/",
        views_findings.accept_finding,
        name="accept_finding",
    ),
    path(
        "findings/<uuid:pk>/reopen/",
        views_findings.reopen_finding,
        name="reopen_finding",
    ),
    path("validation-plans/<uuid:pk>/", views.plan, name="plan"),
    path("validation-reports/<uuid:pk>/", views.report, name="report"),
    path("validation-reports/<uuid:pk>/full/", views.full_report, name="full_report"),
    path(
        "validation-reports/<uuid:pk>/download",
        views.download_report,
        name="download_report",
    ),
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
