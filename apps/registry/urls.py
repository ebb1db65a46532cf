from django.urls import path

from apps.core.views import forbidden

app_name = "registry"
# Placeholder names until the pages are written.
urlpatterns = [
    path("projects/<slug:slug>/models/<slug:name>/", forbidden, name="model"),
]
