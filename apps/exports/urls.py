from django.urls import path

from apps.exports import views

app_name = "exports"
urlpatterns = [
    path("audit/exports/", views.list_exports, name="list"),
    path("audit/exports/create/", views.request_export, name="request_export"),
    path("audit/exports/<uuid:pk>/", views.export, name="export"),
    path("audit/exports/<uuid:pk>/status/", views.export_status, name="export_status"),
    path("audit/exports/<uuid:pk>/cancel/", views.cancel_export, name="cancel_export"),
    path(
        "audit/exports/<uuid:pk>/download/",
        views.download_export,
        name="download_export",
    ),
    path(
        "audit/exports/<uuid:pk>/assessment/",
        views.download_assessment,
        name="download_assessment",
    ),
]
