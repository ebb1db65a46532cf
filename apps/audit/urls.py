from django.urls import path

from apps.audit import views

app_name = "audit"
urlpatterns = [
    path("audit/", views.list_events, name="list"),
    path("audit/events/<uuid:event_id>/", views.event, name="event"),
    path("audit/events/<uuid:event_id>/proof/", views.event_proof, name="event_proof"),
    path("audit/checkpoint/", views.checkpoint, name="checkpoint"),
    path("audit/key/", views.verification_key, name="verification_key"),
    path("audit/verifier/", views.verifier, name="verifier"),
]
