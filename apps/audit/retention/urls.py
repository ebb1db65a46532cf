"""Addresses of what is kept, held and removed; part of those of the trail."""

from django.urls import path

from apps.audit.retention import views

urlpatterns = [
    path("audit/segments/", views.segments, name="segments"),
    path("audit/segments/<int:number>/", views.segment, name="segment"),
    path(
        "audit/segments/<int:number>/archive/",
        views.download_archive,
        name="download_archive",
    ),
    path(
        "audit/segments/<int:number>/request-prune/",
        views.request_prune,
        name="request_prune",
    ),
    path(
        "audit/prune-requests/<uuid:pk>/approve/",
        views.approve_prune,
        name="approve_prune",
    ),
    path(
        "audit/prune-requests/<uuid:pk>/withdraw/",
        views.withdraw_prune,
        name="withdraw_prune",
    ),
    path("audit/holds/", views.holds, name="holds"),
    path("audit/holds/place/", views.place_hold, name="place_hold"),
    path("audit/holds/<uuid:pk>/lift/", views.lift_hold, name="lift_hold"),
]
