from django.urls import path

from apps.core.views import forbidden

app_name = "validation"
# Placeholder names until the pages are written.
urlpatterns = [
    path("validation-plans/<uuid:pk>/", forbidden, name="plan"),
    path("validation-reports/<uuid:pk>/", forbidden, name="report"),
]
