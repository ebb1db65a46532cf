from django.urls import path

from apps.approvals import views

app_name = "approvals"
urlpatterns = [
    path(
        "projects/<slug:slug>/approval-requests/", views.list_requests, name="requests"
    ),
    path(
        "projects/<slug:slug>/models/<slug:name>/versions/<int:number>/"
        "request-approval/",
        views.request_approval,
        name="request_approval",
    ),
    path("approval-requests/<uuid:pk>/", views.approval_request, name="request"),
    path("approval-requests/<uuid:pk>/sign-off/", views.sign_off, name="sign_off"),
    path("approval-requests/<uuid:pk>/reject/", views.reject, name="reject"),
    path(
        "approval-requests/<uuid:pk>/withdraw/",
        views.withdraw_request,
        name="withdraw_request",
    ),
]
