from django.urls import path

from apps.audit import views
from apps.audit.retention.urls import urlpatterns as retention

app_name = "audit"
urlpatterns = [
    path("audit/", views.list_events, name="list"),
    path("audit/events/<uuid:event_id>/", views.event, name="event"),
    path("audit/bundle/", views.export_bundle, name="export_audit_bundle"),
    path("audit/checkpoint/", views.checkpoint, name="checkpoint"),
    path("audit/key/", views.verification_key, name="verification_key"),
    path("audit/verifier/", views.verifier, name="verifier"),
    path("audit/export/", views.export, name="export_audit_trail"),
    *retention,
]
