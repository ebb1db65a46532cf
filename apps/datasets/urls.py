from django.urls import path

from apps.core.views import forbidden

app_name = "datasets"
# Placeholder names until the pages are written.
urlpatterns = [
    path("datasets/<uuid:pk>/", forbidden, name="dataset"),
    path("dataset-versions/<uuid:pk>/", forbidden, name="version"),
]
