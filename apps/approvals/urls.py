from django.urls import path

from apps.core.views import forbidden

app_name = "approvals"
# Placeholder names until the pages are written.
urlpatterns = [
    path("approval-requests/<uuid:pk>/", forbidden, name="request"),
]
