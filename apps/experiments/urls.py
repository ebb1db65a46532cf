from django.urls import path

from apps.core.views import forbidden

app_name = "experiments"
# Placeholder names until the pages are written.
urlpatterns = [
    path("experiments/<uuid:pk>/", forbidden, name="experiment"),
    path("runs/<uuid:pk>/", forbidden, name="run"),
]
