from django.urls import path

from apps.audit import views, views_filters, views_objects, views_standing
from apps.audit.retention.urls import urlpatterns as retention

app_name = "audit"
urlpatterns = [
    path("audit/", views.list_events, name="list"),
    path("audit/count/", views_filters.count, name="count"),
    path("audit/people/", views_filters.people, name="people"),
    path("audit/filters/save/", views_filters.save_filter, name="save_filter"),
    path(
        "audit/filters/<uuid:pk>/delete/",
        views_filters.delete_filter,
        name="delete_filter",
    ),
    path("audit/events/<uuid:event_id>/", views.event, name="event"),
    path("audit/events/<uuid:event_id>/proof/", views.event_proof, name="event_proof"),
    path(
        "audit/objects/<str:kind>/<str:key>/",
        views_objects.timeline,
        name="timeline",
    ),
    path("audit/standing/", views_standing.standing, name="standing"),
    path("audit/verify/", views.verify, name="verify"),
    path("audit/checkpoint/", views.checkpoint, name="checkpoint"),
    path("audit/key/", views.verification_key, name="verification_key"),
    path("audit/verifier/", views.verifier, name="verifier"),
    *retention,
]
